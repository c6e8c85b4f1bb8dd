"""A judgement for people and for machines. Every text is redacted where it is written."""
