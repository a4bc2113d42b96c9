"""Replay: a past batch decided again from its sealed evidence. Nothing here writes to a register or a lake."""
