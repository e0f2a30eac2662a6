"""Digits, emoji, photographs: what comes out of what was fetched."""

import numpy as np
import pytest

from fmkit.data import pictures
from fmkit.errors import AssetError


def fetched(read, *arguments):
    try:
        return read(*arguments)
    except AssetError as error:
        pytest.skip(str(error))


def test_digits_of_mnist():
    images, labels = fetched(pictures.mnist)
    assert images.shape == (5000, 28, 28) and images.dtype == np.uint8
    assert labels.tolist() == np.repeat(np.arange(10), 500).tolist()
    assert images.min() == 0 and images.max() == 255
    middle, rim = images[:, 10:18, 10:18].mean(), images[:, :3].mean()
    assert middle > 20 * rim  # upright, ink in the middle


def test_emoji_have_pictures_of_their_own_and_both_names():
    images, english, chinese = fetched(pictures.emoji, 32)
    assert images.shape[1:] == (32, 32, 3) and images.dtype == np.uint8
    assert len(images) == len(english) == len(chinese) > 1000
    assert len({image.tobytes() for image in images}) == len(images)
    names = dict(zip(english, chinese, strict=True))
    assert names["red heart"] == "红心" and all(english) and all(chinese)
    heart = images[english.index("red heart")].reshape(-1, 3).astype(int)
    assert (heart[:, 0] > heart[:, 1] + 100).mean() > 0.3 and (heart == 255).all(1).mean() > 0.1


def test_photographs_come_along():
    found = pictures.photographs()
    assert list(found) == ["cat", "coffee", "rocket"]
    for picture in found.values():
        assert picture.shape == (224, 224, 3) and picture.dtype == np.uint8 and picture.std() > 20


def test_names_of_imagenet_are_in_their_order():
    names = fetched(pictures.imagenet_names)
    assert len(names) == 1000
    assert "tench" in names[0].lower() and names[967].lower() == "espresso"
