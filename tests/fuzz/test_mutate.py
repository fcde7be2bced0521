"""The mutations themselves: the same on every machine, bad in every way, never an error."""

import json

import mutate

DOCUMENT = {"a": {"b": [1, 2.5, "three", None]}, "c": [{"d": True}, {"d": False}]}


def test_a_case_is_named_by_its_number_alone():
    few, more = (list(mutate.documents(DOCUMENT, count=count)) for count in (20, 40))
    assert few == more[:20]
    assert few != list(mutate.documents(DOCUMENT, count=20, seed=1))
    assert list(mutate.files(b"abc", count=20)) == list(mutate.files(b"abc", count=40))[:20]


def test_a_document_is_spoilt_in_hundreds_of_ways_and_itself_left_alone():
    before = json.dumps(DOCUMENT)
    cases = list(mutate.documents(DOCUMENT, count=1000))
    assert json.dumps(DOCUMENT) == before
    assert len({case.content for case in cases}) > 500
    assert any(b"1e999" in case.content and b"@raw" not in case.content for case in cases)


def test_a_file_of_any_length_is_damaged():
    for content in (b"", b"a", bytes(3000)):
        cases = list(mutate.files(content, count=200))
        assert len({case.content for case in cases}) > 10
