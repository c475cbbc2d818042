//! `/diagnostics`: what became of every frame and question, and whether there is a model.

use geometry::CameraReport;
use perception::{Diagnostics, ModelState, RunsOn};
use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::std_msgs::msg::Header;

use crate::convert::without_nul;
use crate::subscriptions::TopicState;

/// Status codes in the order of [`Diagnostics::answered`].
const STATUSES: [&str; msgs::Status::COUNT] = [
    "answered",
    "not_seen",
    "no_frames",
    "stale_frames",
    "bad_query",
    "busy",
    "timeout",
    "cancelled",
    "model_error",
    "unsupported",
];

/// What the shell itself counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShellCounts {
    /// Questions whose bytes were no text or whose id was too long; answered `BAD_QUERY`.
    pub unreadable: u64,
    /// Compressed images that could not be decoded.
    pub undecodable: u64,
    /// Compressed images that newer ones overtook before they could be decoded.
    pub dropped_compressed: u64,
    /// Corrections heard on `feedback`.
    pub feedback: u64,
    /// Compressed images that were copies of raw ones.
    pub copies: u64,
    /// Age of the newest transform or odometry, seconds.
    pub tf_age_secs: Option<f64>,
}

/// Levels of `DiagnosticStatus`.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Ok = 0,
    Warn = 1,
    Error = 2,
    Stale = 3,
}

/// Four statuses: frames, questions, model, camera. `max_age_secs`: from which age on frames are stale.
pub fn diagnostics_message(
    node: &str,
    header: Header,
    diagnostics: &Diagnostics,
    shell: &ShellCounts,
    max_age_secs: f64,
) -> DiagnosticArray {
    let statuses = [
        frames(diagnostics, shell, max_age_secs),
        questions(diagnostics, shell),
        model(diagnostics),
        camera(&diagnostics.camera, shell.tf_age_secs),
    ];
    array_of(node, header, statuses.into())
}

/// `message` with one status more: how topics are heard. `advice`: what a user should do about pictures that get lost.
pub fn with_topics(
    mut message: DiagnosticArray,
    node: &str,
    topics: &[TopicState],
    advice: Option<&str>,
) -> DiagnosticArray {
    message.status.extend(array_of(node, Header::default(), vec![topics_status(topics, advice)]).status);
    message
}

/// How topics are heard: one value for each.
pub(crate) fn topics_status(topics: &[TopicState], advice: Option<&str>) -> DiagnosticStatus {
    let unheard: Vec<&str> = topics.iter().flat_map(|topic| &topic.unheard).map(String::as_str).collect();
    let told = topics.iter().filter(|topic| topic.publishers > 0).count();
    let (level, message) = match unheard.first() {
        Some(first) => (Level::Warn, format!("not heard: {first}")),
        None => (Level::Ok, format!("{told} of {} topics have publishers", topics.len())),
    };
    let mut values: Vec<(&str, String)> = topics.iter().map(|topic| (topic.name.as_str(), how_heard(topic))).collect();
    values.extend(advice.map(|advice| ("large_pictures", advice.to_owned())));
    status("topics", level, message, &values)
}

fn how_heard(topic: &TopicState) -> String {
    let heard: Vec<String> = topic.heard.iter().map(ToString::to_string).collect();
    let mut text = format!("{}: {} publishers, {}", topic.full_name, topic.publishers, heard.join(" and "));
    for unheard in &topic.unheard {
        text += &format!("; not heard: {unheard}");
    }
    text
}

/// Statuses under the node's name.
pub(crate) fn array_of(node: &str, header: Header, statuses: Vec<DiagnosticStatus>) -> DiagnosticArray {
    let named = statuses.into_iter().map(|status| DiagnosticStatus {
        name: format!("{node}: {}", status.name),
        hardware_id: node.to_owned(),
        ..status
    });
    DiagnosticArray { header, status: named.collect() }
}

pub(crate) fn status(name: &str, level: Level, message: String, values: &[(&str, String)]) -> DiagnosticStatus {
    let values = values.iter().map(|(key, value)| KeyValue { key: (*key).to_owned(), value: without_nul(value) });
    DiagnosticStatus {
        level: level as u8,
        name: name.to_owned(),
        message: without_nul(&message),
        hardware_id: String::new(),
        values: values.collect(),
    }
}

fn frames(diagnostics: &Diagnostics, shell: &ShellCounts, max_age_secs: f64) -> DiagnosticStatus {
    let counters = &diagnostics.frames;
    let (rejected, vision) = (&counters.rejected, &diagnostics.vision);
    let (level, message) = match diagnostics.newest_frame_age_secs {
        None => (Level::Stale, "no frame yet".to_owned()),
        Some(age) if age > max_age_secs => (Level::Stale, format!("newest frame is {age:.1} s old")),
        Some(_) if diagnostics.sight.is_some() => (Level::Warn, diagnostics.sight.unwrap_or_default().to_owned()),
        Some(_) if rejected.total() + shell.undecodable > 0 => (Level::Warn, "some frames were refused".to_owned()),
        Some(_) => (Level::Ok, "frames arrive".to_owned()),
    };
    let age = diagnostics.newest_frame_age_secs.map_or("unknown".to_owned(), |age| format!("{age:.3}"));
    status(
        "frames",
        level,
        message,
        &[
            ("received", (counters.received + shell.undecodable + shell.dropped_compressed + shell.copies).to_string()),
            ("kept", counters.pushed.to_string()),
            ("skipped_rate", counters.skipped_rate.to_string()),
            ("skipped_still", counters.skipped_still.to_string()),
            ("dropped_undecoded", shell.dropped_compressed.to_string()),
            ("late", counters.late.to_string()),
            ("repaired", counters.repaired.to_string()),
            ("dropped_oldest", counters.dropped_oldest.to_string()),
            ("stamp_jumps", counters.stamp_jumps.to_string()),
            ("resized", counters.resized.to_string()),
            ("cleared", counters.cleared.to_string()),
            ("rejected", (rejected.total() + shell.undecodable).to_string()),
            ("rejected_unknown_encoding", rejected.unknown_encoding.to_string()),
            ("rejected_depth_image", rejected.depth_image.to_string()),
            ("rejected_zero_size", rejected.zero_size.to_string()),
            ("rejected_too_large", rejected.too_large.to_string()),
            ("rejected_odd_width", rejected.odd_width.to_string()),
            ("rejected_short_step", rejected.short_step.to_string()),
            ("rejected_wrong_length", rejected.wrong_length.to_string()),
            ("rejected_map_size", rejected.map_size.to_string()),
            ("rejected_no_slot", rejected.no_slot.to_string()),
            ("rejected_undecodable", shell.undecodable.to_string()),
            ("copies", shell.copies.to_string()),
            ("pairs_encoded", vision.encoded.to_string()),
            ("pairs_failed", vision.failed.to_string()),
            ("vision_dropped", vision.dropped.to_string()),
            ("newest_age_secs", age),
        ],
    )
}

fn questions(diagnostics: &Diagnostics, shell: &ShellCounts) -> DiagnosticStatus {
    let mut answered = diagnostics.answered;
    answered[usize::from(msgs::Status::BadQuery.code())] += shell.unreadable;
    let mut values = vec![
        ("asked", (diagnostics.asked + shell.unreadable).to_string()),
        ("waiting", diagnostics.queue_len.to_string()),
        ("feedback", shell.feedback.to_string()),
        ("ready_bytes", diagnostics.ready_bytes.to_string()),
    ];
    values.extend(STATUSES.iter().zip(answered).map(|(name, count)| (*name, count.to_string())));
    if let Some(timing) = diagnostics.last_timing {
        let secs = |value: f64| format!("{value:.4}");
        values.extend([
            ("last_queue_secs", secs(timing.queue_secs)),
            ("last_vision_secs", secs(timing.vision_secs)),
            ("last_prefill_secs", secs(timing.prefill_secs)),
            ("last_first_token_secs", secs(timing.first_token_secs)),
            ("last_decode_secs", secs(timing.decode_secs)),
            ("last_total_secs", secs(timing.total_secs)),
        ]);
    }
    status("questions", Level::Ok, format!("{} waiting", diagnostics.queue_len), &values)
}

/// What the model is told about the camera; what is unknown is worth a look.
fn camera(report: &CameraReport, tf_age_secs: Option<f64>) -> DiagnosticStatus {
    let facts = report.facts();
    let known = [facts.horizontal_fov_deg, facts.height_m, facts.pitch_deg].iter().all(Option::is_some);
    let level = match report.picture {
        None => Level::Stale,
        Some(_) if known && !report.pose.contains("unknown") => Level::Ok,
        Some(_) => Level::Warn,
    };
    let message = if report.picture.is_some() { report.to_string() } else { "no frame yet".to_owned() };
    let mut values = report.values();
    values.push(("tf_age_secs", tf_age_secs.map_or("unknown".to_owned(), |age| format!("{age:.3}"))));
    status("camera", level, message, &values)
}

fn model(diagnostics: &Diagnostics) -> DiagnosticStatus {
    let (level, state, message) = match &diagnostics.model {
        ModelState::Loading => (Level::Warn, "loading", "being verified and loaded".to_owned()),
        ModelState::Ready { .. } if diagnostics.model_changed.is_some() => {
            (Level::Warn, "ready", diagnostics.model_changed.clone().unwrap_or_default())
        }
        // Slower than asked for is worth a look.
        ModelState::Ready { model, runs_on } if runs_on.refusals.is_empty() => (Level::Ok, "ready", model.clone()),
        ModelState::Ready { model, .. } => (Level::Warn, "ready", model.clone()),
        ModelState::Failed { reason } => (Level::Error, "failed", reason.clone()),
    };
    let last_error = diagnostics.last_error.clone().unwrap_or_default();
    let runs_on = match &diagnostics.model {
        ModelState::Ready { runs_on, .. } => runs_on.clone(),
        _ => RunsOn::default(),
    };
    let values = [
        ("state", state.to_owned()),
        ("provider", runs_on.provider),
        ("provider_refusals", runs_on.refusals.join("; ")),
        ("last_error", last_error),
    ];
    status("model", level, message, &values)
}
