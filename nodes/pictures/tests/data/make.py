"""Made the JPEGs beside this file: the scene of `tests/scene/mod.rs` in the kinds that the crate `image` doesn't write.

python3 -m pip install pillow==13.0.0 numpy && python3 make.py
"""

import pathlib

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 64, 48

y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
rgb = numpy.stack([4 * x, 5 * y, 2 * (x + y)], -1)
rgb[12:24, 16:32] = 200, 40, 30
scene = Image.fromarray(rgb.astype(numpy.uint8))


def write(name, picture=scene, **settings):
    picture.save(HERE / f"{name}.jpg", quality=92, **settings)


write("sequential_420", subsampling="4:2:0", optimize=True)
write("restarts_422", subsampling="4:2:2", restart_marker_blocks=2)
write("progressive_420", subsampling="4:2:0", progressive=True)
write("progressive_restarts_444", subsampling="4:4:4", progressive=True, restart_marker_blocks=3)
write("grey", scene.convert("L"))
write("grey_progressive", scene.convert("L"), progressive=True)
write("rgb", keep_rgb=True)
write("cmyk", scene.convert("CMYK"))
