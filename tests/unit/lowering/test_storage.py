from torch.nn import functional

from quant.lowering.storage import Storage, Store, storages, stream_names
from quant.lowering.trace import trace
from tests.unit.lowering.small_networks import Net, edsr


def test_the_feature_maps_of_an_edsr() -> None:
    network = trace(edsr(blocks=2))
    stream, layer = Store.STREAM, Store.LAYER
    assert storages(network) == {
        "image": Storage(Store.IMAGE),
        "head.0": Storage(stream, "head.0"),
        "body.0.body.0": Storage(layer, "body.0.body.2"),
        "body.0.body.2": Storage(stream, "body.0.body.2"),
        "body.0.add": Storage(stream, "body.0.add"),
        "body.1.body.0": Storage(layer, "body.1.body.2"),
        "body.1.body.2": Storage(stream, "body.1.body.2"),
        "body.1.add": Storage(layer, "body.2"),
        "body.2": Storage(stream, "body.2"),
        "add": Storage(layer, "tail.0.0"),
        "tail.0.0": Storage(layer, "tail.1"),
        "tail.0.1": Storage(layer, "tail.1"),
        "tail.1": Storage(Store.PICTURE),
    }
    assert stream_names(network) == (
        "head.0",
        "body.0.body.2",
        "body.0.add",
        "body.1.body.2",
        "body.2",
    )


def test_a_shuffle_stores_what_its_readers_need() -> None:
    def use(net, x):  # type: ignore[no-untyped-def]
        large = functional.pixel_shuffle(net.upsampler(net.first(x)), 2)
        return large + net.last(net.first(large))

    network = trace(Net(use))
    chosen = storages(network)
    assert chosen["upsampler"] == chosen["pixel_shuffle"] == Storage(Store.STREAM, "pixel_shuffle")
    assert chosen["add"] == Storage(Store.PICTURE)


def test_a_shuffle_at_the_end_stores_the_picture() -> None:
    network = trace(Net(lambda net, x: functional.pixel_shuffle(net.upsampler(net.first(x)), 2)))
    assert storages(network)["upsampler"] == Storage(Store.PICTURE)
