"""What clients may decide about words that are looked for, request by request."""

from models.request_settings import RequestSetting

WORDS = (
    RequestSetting("k", "int32", 10, 1, 1000, "Words of an answer."),
    RequestSetting("multiplicative", "int32", 0, 0, 1, "Analogies by 0: 3CosAdd, 1: 3CosMul."),
)
