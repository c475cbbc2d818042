//! The pixel map of a camera, made when it is first needed and when the camera changes.

use std::sync::Arc;

use geometry::CameraView;

use crate::{PixelMap, PixelMapError};

/// Holds the map of the newest view.
#[derive(Debug, Default)]
pub struct ViewMap {
    made: Option<(CameraView, Option<Arc<PixelMap>>)>,
}

impl ViewMap {
    /// The map that makes pictures of `view` upright and straight; `None` where they are so already.
    ///
    /// # Errors
    /// [`PixelMapError`] for a size that no picture has.
    pub fn get(&mut self, view: &CameraView) -> Result<Option<Arc<PixelMap>>, PixelMapError> {
        if let Some((made_for, map)) = &self.made
            && made_for == view
        {
            return Ok(map.clone());
        }
        let map = if view.is_as_sent() {
            None
        } else {
            Some(Arc::new(PixelMap::new(view.size, view.upright_size(), |place| view.as_sent(place))?))
        };
        self.made = Some((view.clone(), map.clone()));
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use geometry::{ExifTurn, QuarterTurn};

    use super::*;

    #[test]
    fn a_map_is_made_once_for_a_view_and_none_for_an_upright_pinhole() {
        let (mut maps, upright) = (ViewMap::default(), CameraView::new((6, 4), None, None, ExifTurn::default()));
        assert!(maps.get(&upright).expect("sizes").is_none());
        let turned = CameraView { turn: QuarterTurn::Left, ..upright };
        let first = maps.get(&turned).expect("sizes").expect("turned");
        assert_eq!((first.source(), first.output()), ((6, 4), (4, 6)));
        assert!(Arc::ptr_eq(&first, &maps.get(&turned).expect("sizes").expect("turned")));
    }
}
