"""An independent tus client (tuspy) uploads to the collector as it would to any other."""

import io

import pytest

tusclient = pytest.importorskip("tusclient.client", reason="pip install tuspy")

from tusclient.exceptions import TusCommunicationError  # noqa: E402

from tests.host_tools.collector.world import photo, sha256  # noqa: E402


@pytest.mark.parametrize("chunk_size", [7_777, 10**9])
def test_tuspy_uploads_a_photograph(world, start, chunk_size):
    data = photo(60_000)
    made = world.kit().result([data])
    collector = start()
    collector.submit(made)
    client = tusclient.TusClient(collector.background.url + "/v1/u")
    uploader = client.uploader(
        file_stream=io.BytesIO(data),
        chunk_size=chunk_size,
        metadata={"sha256": sha256(data).hex(), "filename": "page1.jpg"},
    )
    uploader.upload_chunk()
    resumed = client.uploader(file_stream=io.BytesIO(data), url=uploader.url, chunk_size=chunk_size)
    assert resumed.offset == min(chunk_size, len(data))
    resumed.upload()
    assert collector.store.photo_path(sha256(data)).read_bytes() == data


def test_tuspy_is_refused_a_photograph_that_no_entry_names(world, start):
    data = photo(100)
    client = tusclient.TusClient(start().background.url + "/v1/u")
    uploader = client.uploader(
        file_stream=io.BytesIO(data), metadata={"sha256": sha256(data).hex()}
    )
    with pytest.raises(TusCommunicationError):
        uploader.upload()
