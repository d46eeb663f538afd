"""What stands around any service that others can take the work of."""

from processors.failover.switcher import SEEN, _Recent


def test_only_the_last_ids_are_remembered():
    recent = _Recent()
    for frame_id in range(SEEN + 1):
        recent.add(frame_id)
    assert (0 in recent, 1 in recent, SEEN in recent) == (False, True, True)
