//! The segments of a file: what is needed is copied into a plain form, the scans' data are checked on the way.
//!
//! The plain form has no thumbnails, comments, stray bytes or second pictures, always has Huffman tables and an end marker,
//! and names RGB as the decoder knows it.

use super::MAX_SCANS;
use super::cursor::{Cursor, damaged, unsupported};
use super::frame::Frame;
use super::huffman::{Table, Tables, table};
use super::mean::Mean;
use super::progressive::{Ac, Dc, DcBit};
use super::scan::{Header, Part, read_units};
use super::sequential::Sequential;
use super::standard::{self, Codes};
use crate::error::Result;

/// So many bytes alike at the end of the data, and no end marker: nothing was written there.
const SAME_AT_END: usize = 3;
/// Never told by any scan.
const UNTOLD: u8 = u8::MAX;
/// Names of the components of RGB.
const RGB: [u8; 3] = *b"RGB";

/// A picture of which every block is there.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    /// Width and height as stored, pixels.
    pub(super) size: (u32, u32),
    /// Colours.
    pub(super) components: usize,
    /// EXIF's TIFF structure.
    pub(super) exif: Option<&'a [u8]>,
    /// Whether it had all its tables and an end marker.
    pub(super) is_complete: bool,
    /// The same picture in the plain form.
    pub(super) plain: Vec<u8>,
}

/// What was read so far.
struct Checker<'a> {
    cursor: Cursor<'a>,
    frame: Option<Frame>,
    dc: Tables,
    ac: Tables,
    /// First numbers of the quantisation tables.
    first_steps: [i32; 4],
    restart_interval: usize,
    exif: Option<&'a [u8]>,
    /// Adobe's segment: how colours are to be understood.
    adobe: Option<&'a [u8]>,
    /// By component and coefficient: how many of its low bits no scan has told yet.
    untold: Vec<[u8; 64]>,
    /// By component and block: coefficients of a progressive picture that are not zero.
    known: Vec<Vec<u64>>,
    /// Tables were left out.
    lacks_tables: bool,
    scans: usize,
    plain: Vec<u8>,
}

/// Reads all segments.
///
/// # Errors
/// When the picture is cut, damaged, too large, or of a kind that isn't read.
pub(super) fn check(bytes: &[u8]) -> Result<Whole<'_>> {
    let mut checker = Checker {
        cursor: Cursor { bytes, at: 2 },
        frame: None,
        dc: Tables::default(),
        ac: Tables::default(),
        first_steps: [1; 4],
        restart_interval: 0,
        exif: None,
        adobe: None,
        untold: Vec::new(),
        known: Vec::new(),
        lacks_tables: false,
        scans: 0,
        plain: vec![0xFF, 0xD8],
    };
    let mut has_end = false;
    while !has_end && let Some(marker) = checker.cursor.next_marker()? {
        match marker {
            0xD9 => has_end = true,
            // Markers that stand alone. A restart marker behind the last unit of a scan does no harm.
            0x01 | 0xD0..=0xD7 => {}
            _ => checker.segment(marker)?,
        }
    }
    checker.finish(has_end)
}

impl<'a> Checker<'a> {
    fn segment(&mut self, marker: u8) -> Result<()> {
        if marker == 0xD8 {
            return Err(damaged(format!("a second picture begins at byte {}", self.cursor.at)));
        }
        let body = self.cursor.segment()?;
        match marker {
            0xC0..=0xC2 => self.take_frame(marker, body)?,
            0xC4 => self.take_tables(body)?,
            0xDB => self.take_quantisation(body)?,
            0xC3 | 0xC7 | 0xCB | 0xCF => return Err(unsupported("lossy JPEG", "lossless JPEG".into())),
            0xC9 | 0xCA | 0xCC..=0xCE => return Err(unsupported("Huffman codes", "arithmetic codes".into())),
            0xC5 | 0xC6 => return Err(unsupported("one frame", "a hierarchy of frames".into())),
            0xDA => return self.take_scan(body),
            0xDD if body.len() == 2 => self.restart_interval = usize::from(u16::from_be_bytes([body[0], body[1]])),
            0xE1 => self.exif = self.exif.or(body.strip_prefix(b"Exif\0\0")),
            0xEE if body.starts_with(b"Adobe") && body.len() >= 12 => self.adobe = Some(body),
            _ => {}
        }
        if matches!(marker, 0xC4 | 0xDB | 0xDD) {
            self.copy(marker, body);
        }
        Ok(())
    }

    fn copy(&mut self, marker: u8, body: &[u8]) {
        self.plain.extend([0xFF, marker]);
        self.plain.extend((body.len() as u16 + 2).to_be_bytes());
        self.plain.extend_from_slice(body);
    }

    fn take_frame(&mut self, marker: u8, body: &[u8]) -> Result<()> {
        if self.frame.is_some() {
            return Err(damaged(format!("a second frame ends at byte {}", self.cursor.at)));
        }
        let frame = Frame::read(marker, body)?;
        self.untold = vec![[UNTOLD; 64]; frame.components.len()];
        if frame.is_progressive {
            self.known = (0..frame.components.len()).map(|index| vec![0; frame.blocks(index)]).collect();
        }
        let mut named = body.to_vec();
        if self.is_rgb(&frame) {
            named.iter_mut().skip(6).step_by(3).zip(RGB).for_each(|(id, name)| *id = name);
        }
        let has_black = frame.components.len() == 4;
        self.frame = Some(frame);
        self.copy(marker, &named);
        if let Some(adobe) = self.adobe.filter(|_| has_black) {
            self.copy(0xEE, adobe);
        }
        Ok(())
    }

    /// Whether colours are stored as they are, not as brightness and two differences.
    fn is_rgb(&self, frame: &Frame) -> bool {
        frame.components.len() == 3 && self.adobe.is_some_and(|adobe| adobe[11] == 0)
    }

    fn take_tables(&mut self, body: &[u8]) -> Result<()> {
        let mut rest = body;
        while let Some((number, behind)) = rest.split_first() {
            let table = behind.split_first_chunk::<16>().and_then(|(counts, behind)| {
                let symbols = counts.iter().map(|count| usize::from(*count)).sum();
                let (symbols, behind) = behind.split_at_checked(symbols)?;
                Some((Table::new(counts, symbols)?, behind))
            });
            let slot = match number >> 4 {
                0 => self.dc.get_mut(usize::from(number & 15)),
                1 => self.ac.get_mut(usize::from(number & 15)),
                _ => None,
            };
            let (Some((table, behind)), Some(slot)) = (table, slot) else {
                return Err(damaged(format!("no Huffman table is like the one ahead of byte {}", self.cursor.at)));
            };
            *slot = Some(table);
            rest = behind;
        }
        Ok(())
    }

    fn take_quantisation(&mut self, body: &[u8]) -> Result<()> {
        let mut rest = body;
        while let [kind, behind @ ..] = rest {
            let bytes = if kind >> 4 == 0 { 64 } else { 128 };
            let (Some((table, behind)), Some(step)) =
                (behind.split_at_checked(bytes), self.first_steps.get_mut(usize::from(kind & 15)))
            else {
                return Err(damaged(format!("no quantisation table is like the one ahead of byte {}", self.cursor.at)));
            };
            let first = u16::from_be_bytes([table[0], table[1]]);
            *step = i32::from(if bytes == 64 { first >> 8 } else { first });
            rest = behind;
        }
        Ok(())
    }

    /// MJPEG leaves out tables that everybody knows.
    fn add_standard_tables(&mut self, parts: &[Part]) {
        for number in 0..2 {
            if self.dc[number].is_none() && parts.iter().any(|part| part.dc == number) {
                self.add_table(0, number, standard::DC[number]);
            }
            if self.ac[number].is_none() && parts.iter().any(|part| part.ac == number) {
                self.add_table(1, number, standard::AC[number]);
            }
        }
    }

    fn add_table(&mut self, class: u8, number: usize, (counts, symbols): Codes) {
        let tables = if class == 0 { &mut self.dc } else { &mut self.ac };
        tables[number] = Table::new(&counts, symbols);
        self.lacks_tables = true;
        let body = [&[class << 4 | number as u8], counts.as_slice(), symbols].concat();
        self.copy(0xC4, &body);
    }

    fn take_scan(&mut self, body: &[u8]) -> Result<()> {
        let Some(frame) = self.frame.take() else { return Err(damaged("a scan ahead of its frame".to_owned())) };
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(damaged(format!("expected at most {MAX_SCANS} scans, found more")));
        }
        let header = Header::read(body, &frame)?;
        if !frame.is_progressive {
            self.add_standard_tables(&header.parts);
        }
        let mut named = body.to_vec();
        if self.is_rgb(&frame) {
            for (part, id) in header.parts.iter().zip(named.iter_mut().skip(1).step_by(2)) {
                *id = RGB[part.index];
            }
        }
        self.copy(0xDA, &named);
        self.read_scan(&header, &frame)?;
        self.frame = Some(frame);
        Ok(())
    }

    fn read_scan(&mut self, header: &Header, frame: &Frame) -> Result<()> {
        let (count, interval) = (header.units(frame), self.restart_interval);
        let (cursor, plain) = (&mut self.cursor, &mut self.plain);
        let blocks = |part: &Part| header.blocks_of(part, frame);
        let mean = |part: &Part| {
            let step = self.first_steps.get(frame.components[part.index].quantisation).copied().unwrap_or(1);
            let left_out = if frame.is_progressive { header.left_out } else { 0 };
            Ok(Mean::new(table(&self.dc, part.dc)?, step << left_out))
        };
        if !frame.is_progressive {
            let of = |part: &Part| Ok((blocks(part), mean(part)?, table(&self.ac, part.ac)?));
            let parts = header.parts.iter().map(of).collect::<Result<_>>()?;
            read_units(cursor, count, interval, &mut Sequential { parts }, plain)?;
        } else if header.first == 0 && header.refines {
            let mut units = DcBit(header.parts.iter().map(blocks).sum());
            read_units(cursor, count, interval, &mut units, plain)?;
        } else if header.first == 0 {
            let of = |part: &Part| Ok((blocks(part), mean(part)?));
            let parts = header.parts.iter().map(of).collect::<Result<_>>()?;
            read_units(cursor, count, interval, &mut Dc { parts }, plain)?;
        } else {
            let part = header.parts[0];
            let mut units = Ac {
                table: table(&self.ac, part.ac)?,
                band: (header.first, header.last),
                refines: header.refines,
                known: &mut self.known[part.index],
                block: 0,
                ended: 0,
            };
            read_units(cursor, count, interval, &mut units, plain)?;
        }
        let (band, left_out) =
            if frame.is_progressive { (header.first..=header.last, header.left_out) } else { (0..=63, 0) };
        for part in &header.parts {
            self.untold[part.index][band.clone()].fill(left_out);
        }
        Ok(())
    }

    /// The picture, where every scan was there; `has_end`: an end marker was, too.
    fn finish(mut self, has_end: bool) -> Result<Whole<'a>> {
        let Some(frame) = self.frame else { return Err(self.cursor.cut("a frame")) };
        if self.untold.iter().flatten().any(|untold| *untold != 0) {
            let missing = || damaged("a scan is missing".to_owned());
            return Err(if has_end { missing() } else { self.cursor.cut("all scans") });
        }
        // Zeros that fill up a buffer may be read as pixels.
        let tail = self.plain.last_chunk::<SAME_AT_END>();
        if !has_end && tail.is_some_and(|tail| tail.iter().all(|byte| *byte == tail[0])) {
            return Err(self.cursor.cut("an end marker, or pixels up to the end"));
        }
        self.plain.extend([0xFF, 0xD9]);
        let (width, height) = (frame.width as u32, frame.height as u32);
        Ok(Whole {
            size: (width, height),
            components: frame.components.len(),
            exif: self.exif,
            is_complete: has_end && !self.lacks_tables,
            plain: self.plain,
        })
    }
}
