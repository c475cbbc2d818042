//! A node's parameters towards ROS: the six services of `rcl_interfaces`, and `/parameter_events`.
//!
//! r2r's own handlers of these end the process where a reply can't be delivered, as to an asker whose quality
//! of service does not fit. Here that is a warning.

use std::rc::Rc;

use futures::executor::LocalSpawner;
use futures::task::LocalSpawnExt;
use futures::{StreamExt, future};
use r2r::rcl_interfaces::msg::{
    ListParametersResult, Parameter, ParameterDescriptor, ParameterEvent, SetParametersResult,
};
use r2r::rcl_interfaces::srv::{
    DescribeParameters, GetParameterTypes, GetParameters, ListParameters, SetParameters, SetParametersAtomically,
};
use r2r::{Clock, Node, ParameterValue, QosProfile, ServiceRequest, WrappedServiceTypeSupport};

use crate::executor::{lock, warn_on_error, warn_unless_delivered};
use crate::parameters::{Declared, ParameterError, Registry, type_code, value_from_message, value_message};

/// What parts a name into prefixes.
const SEPARATOR: char = '.';

/// Serves the parameters of `registry` under the node's name, and tells `/parameter_events` of them.
///
/// # Errors
/// When ROS refuses a service or the topic.
pub fn serve(node: &mut Node, spawner: &LocalSpawner, registry: Registry) -> anyhow::Result<()> {
    let registry = Rc::new(registry);
    let event = event(node, &registry)?;
    let events = node.create_publisher::<ParameterEvent>("/parameter_events", QosProfile::parameter_events())?;
    warn_on_error(events.publish(&event));
    let mut services = Services { node, spawner, registry };
    services.add::<ListParameters::Service>("list_parameters", |registry, request| ListParameters::Response {
        result: list(registry, &request.prefixes, request.depth),
    })?;
    services.add::<GetParameters::Service>("get_parameters", |registry, request| GetParameters::Response {
        values: request.names.iter().map(|name| value_message(&value(registry, name))).collect(),
    })?;
    services.add::<GetParameterTypes::Service>("get_parameter_types", |registry, request| {
        GetParameterTypes::Response {
            types: request.names.iter().map(|name| type_code(&value(registry, name))).collect(),
        }
    })?;
    services.add::<DescribeParameters::Service>("describe_parameters", |registry, request| {
        DescribeParameters::Response {
            descriptors: request.names.iter().map(|name| describe(registry, name)).collect(),
        }
    })?;
    services.add::<SetParameters::Service>("set_parameters", |registry, request| SetParameters::Response {
        results: request.parameters.iter().map(|parameter| set_result(set(registry, parameter))).collect(),
    })?;
    services.add::<SetParametersAtomically::Service>("set_parameters_atomically", |registry, request| {
        let set = request.parameters.iter().try_for_each(|parameter| set(registry, parameter));
        SetParametersAtomically::Response { result: set_result(set) }
    })
}

struct Services<'a> {
    node: &'a mut Node,
    spawner: &'a LocalSpawner,
    registry: Rc<Registry>,
}

impl Services<'_> {
    /// Answers each request of one service.
    fn add<S: WrappedServiceTypeSupport + 'static>(
        &mut self,
        name: &'static str,
        answer: impl Fn(&Registry, &S::Request) -> S::Response + 'static,
    ) -> anyhow::Result<()> {
        let full_name = format!("{}/{name}", self.node.name()?);
        let requests = self.node.create_service::<S>(&full_name, QosProfile::parameters())?;
        let registry = self.registry.clone();
        self.spawner.spawn_local(requests.for_each(move |request: ServiceRequest<S>| {
            let response = answer(&registry, &request.message);
            warn_unless_delivered(name, request.respond(response));
            future::ready(())
        }))?;
        Ok(())
    }
}

/// That the parameters are there.
fn event(node: &Node, registry: &Registry) -> anyhow::Result<ParameterEvent> {
    let stamp = lock(&node.get_ros_clock()).get_now().unwrap_or_default();
    let parameter = |known: &Declared| Parameter { name: known.name.clone(), value: value_message(&known.value) };
    Ok(ParameterEvent {
        stamp: Clock::to_builtin_time(&stamp),
        node: node.fully_qualified_name()?,
        new_parameters: registry.declared().iter().map(parameter).collect(),
        ..ParameterEvent::default()
    })
}

fn value(registry: &Registry, name: &str) -> ParameterValue {
    registry.get(name).map_or(ParameterValue::NotSet, |known| known.value.clone())
}

fn describe(registry: &Registry, name: &str) -> ParameterDescriptor {
    let known = registry.get(name);
    ParameterDescriptor {
        name: name.to_owned(),
        type_: type_code(&value(registry, name)),
        description: known.map(|known| known.about.clone()).unwrap_or_default(),
        additional_constraints: known.map(|_| "read at start".to_owned()).unwrap_or_default(),
        read_only: known.is_some(),
        ..ParameterDescriptor::default()
    }
}

fn set(registry: &Registry, parameter: &Parameter) -> Result<(), ParameterError> {
    registry.set(&parameter.name, &value_from_message(&parameter.value))
}

fn set_result(set: Result<(), ParameterError>) -> SetParametersResult {
    let reason = set.err().map(|error| error.to_string());
    SetParametersResult { successful: reason.is_none(), reason: reason.unwrap_or_default() }
}

/// The names under any of `prefixes` (all, where there are none), down to `depth` levels (0 = all).
fn list(registry: &Registry, prefixes: &[String], depth: u64) -> ListParametersResult {
    let is_within = |rest: &str| depth == 0 || (rest.matches(SEPARATOR).count() as u64) < depth;
    let is_under = |name: &str, prefix: &String| {
        let below = name.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix(SEPARATOR));
        name == prefix || below.is_some_and(is_within)
    };
    let is_wanted = |name: &str| match prefixes {
        [] => is_within(name),
        some => some.iter().any(|prefix| is_under(name, prefix)),
    };
    let mut result = ListParametersResult::default();
    for Declared { name, .. } in registry.declared().iter().filter(|known| is_wanted(&known.name)) {
        result.names.push(name.clone());
        if let Some((prefix, _)) = name.rsplit_once(SEPARATOR)
            && result.prefixes.iter().all(|known| known != prefix)
        {
            result.prefixes.push(prefix.to_owned());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        for name in ["camera.frame", "camera.size.width", "threads"] {
            registry.declare(name, "about", ParameterValue::Integer(1), None).unwrap();
        }
        registry
    }

    #[test]
    fn lists_by_prefix_and_depth() {
        let names = |prefixes: &[&str], depth| {
            let prefixes: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
            list(&registry(), &prefixes, depth).names.join(" ")
        };
        assert_eq!(names(&[], 0), "camera.frame camera.size.width threads");
        assert_eq!(names(&[], 1), "threads");
        assert_eq!(names(&["camera"], 0), "camera.frame camera.size.width");
        assert_eq!(names(&["camera"], 1), "camera.frame");
        assert_eq!(names(&["threads", "cam"], 0), "threads");
        assert_eq!(list(&registry(), &[], 0).prefixes, ["camera", "camera.size"]);
    }

    #[test]
    fn describes_and_refuses_by_name() {
        let known = describe(&registry(), "threads");
        assert_eq!((known.type_, known.read_only, known.description.as_str()), (2, true, "about"));
        let unknown = describe(&registry(), "treads");
        assert_eq!((unknown.type_, unknown.read_only), (0, false));
        let wanted = Parameter { name: "threads".to_owned(), value: value_message(&ParameterValue::Integer(4)) };
        let result = set_result(set(&registry(), &wanted));
        assert!(!result.successful && result.reason.contains("threads:=4"), "{result:?}");
    }
}
