"""SentencePiece: parts of words by a unigram model (Kudo, 2018) or by merged pairs (Sennrich et al., 2016).

Learned by the library of Kudo and Richardson (2018), applied by tensorflow-text. We differ from the library's own use
in two points: texts are normalised by the tokenizer section, as for the other units, and it learns from counted words
instead of sentences. For bpe that gives the same pieces; for unigram nearly so, since it first looks at sentences.
"""

import functools
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import sentencepiece
import tensorflow as tf
import tensorflow_text as tf_text
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from models.errors import SeqlineError
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, SPECIAL_TOKENS, START_TOKEN_ID, UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.unfinished import drop_unfinished
from models.tokenizers.word import SPACE_MARK, normal_spaces

# The learner holds all its text in memory, several times over. Rarer words hardly change the pieces.
_MOST_CHARACTERS = 10_000_000
# The library's own marks; it would leave words with them out by itself, and fail where nothing else is left.
_RESERVED = frozenset({"\u2585", SPACE_MARK})
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
# What a piece is, as the library numbers it.
_NORMAL, _UNKNOWN, _CONTROL, _AS_BYTE = 1, 2, 3, 6
_MODEL_TYPES = {"unigram": 1, "bpe": 2}
# The part of sentencepiece_model.proto that says how text is cut: message to its fields, each with number and type. The
# library's own module of these messages asks for a newer protobuf than TFX allows.
_INT, _BOOL, _STRING, _FLOAT = (
    descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{name}") for name in ("INT32", "BOOL", "STRING", "FLOAT")
)
_MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "Piece": {"piece": (1, _STRING), "score": (2, _FLOAT), "type": (3, _INT)},
    "TrainerSpec": {
        "model_type": (3, _INT),
        "vocab_size": (4, _INT),
        "byte_fallback": (35, _BOOL),
        "unk_id": (40, _INT),
        "bos_id": (41, _INT),
        "eos_id": (42, _INT),
        "pad_id": (43, _INT),
        "unk_piece": (45, _STRING),
        "bos_piece": (46, _STRING),
        "eos_piece": (47, _STRING),
        "pad_piece": (48, _STRING),
    },
    "NormalizerSpec": {"name": (1, _STRING)},
    "ModelProto": {
        "pieces": (1, "Piece"),
        "trainer_spec": (2, "TrainerSpec"),
        "normalizer_spec": (3, "NormalizerSpec"),
    },
}
_SPECIAL_IDS = {"pad": PAD_TOKEN_ID, "unk": UNKNOWN_TOKEN_ID, "bos": START_TOKEN_ID, "eos": END_TOKEN_ID}
_SPECIALS: dict[str, Any] = {f"{name}_id": number for name, number in _SPECIAL_IDS.items()} | {
    f"{name}_piece": SPECIAL_TOKENS[number] for name, number in _SPECIAL_IDS.items()
}


class SentencePieceTokenizer(Tokenizer):
    """One token a part of a word; a character that was never seen is `[UNK]`, or with byte_fallback its bytes.

    Args:
        pieces: of `learn`: beside each piece, behind a tab, its score, as in the library's own `.vocab` files.
        settings: the tokenizer section of the configuration.
    """

    def __init__(self, pieces: list[str], settings: TokenizerSettings):
        cut = [piece.rpartition("\t") for piece in pieces[len(SPECIAL_TOKENS) :]]
        super().__init__([*pieces[: len(SPECIAL_TOKENS)], *(piece for piece, _, _ in cut)], settings)
        scores = [float(score) for _, _, score in cut]
        self.sentencepiece = tf_text.SentencepieceTokenizer(model_proto(self.pieces, scores, settings))

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """What stands between spaces: string ragged (B, U)."""
        units = tf.strings.split(normal_spaces(texts), " ")
        return tf.ragged.boolean_mask(units, units != "")

    @classmethod
    def learn(cls, counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
        """Learns pieces from word counts, `vocabulary_size` at most; the library orders them, best first.

        Raises:
            SeqlineError: vocabulary_size has no room for the characters.
        """
        lines = list(_lines(counts))
        if not lines:
            return [*SPECIAL_TOKENS, f"{SPACE_MARK}\t0"]
        written = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines),
                input_format="tsv",
                model_writer=written,
                model_type=settings.model,
                vocab_size=settings.vocabulary_size,
                # As many as there are where there are fewer.
                hard_vocab_limit=False,
                character_coverage=settings.character_coverage,
                byte_fallback=settings.byte_fallback,
                normalization_rule_name="identity",
                # Longer ones would be left out without a word; the library takes no less than 10.
                max_sentence_length=max(10, *(len(line.encode()) for line in lines)),
                # With several the sums, and with them the pieces, depend on who is first.
                num_threads=1,
                minloglevel=2,
                **_SPECIALS,
            )
        except RuntimeError as error:
            if found := re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error)):
                raise _no_room(settings, int(found[1])) from error
            raise
        sentencepiece.set_min_log_level(2)
        learned = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
        numbers = range(len(SPECIAL_TOKENS), learned.get_piece_size())
        # Nine digits tell each float32 from all others.
        return [*SPECIAL_TOKENS, *(f"{learned.id_to_piece(n)}\t{learned.get_score(n):.9g}" for n in numbers)]

    def unit_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        """Token ids of units from `split`, string (N,): int32 ragged (N, P)."""
        return self.sentencepiece.tokenize(units)

    def whole_characters(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Drops the bytes at the end that begin a character and do not finish it: ragged int32 (B, T) to the same."""
        # The library puts the bytes before all other pieces.
        return drop_unfinished(token_ids) if self.settings.byte_fallback else token_ids

    @staticmethod
    def word_of(piece: str) -> str:
        """The piece without its space mark; "" for letters that do not begin a word."""
        return "" if piece[:1].isalnum() or _BYTE.fullmatch(piece) else piece.removeprefix(SPACE_MARK)

    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return self.sentencepiece.tokenize(normal_spaces(texts))

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        # A model can stop in the middle of a character that it writes byte by byte.
        texts = self.sentencepiece.detokenize(token_ids)
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")


def model_proto(pieces: tuple[str, ...], scores: list[float], settings: TokenizerSettings) -> bytes:
    """The library's model, serialized.

    Args:
        pieces: special tokens first.
        scores: of the others.
        settings: the tokenizer section.
    """
    model = _messages()["ModelProto"]()
    for number, (piece, score) in enumerate(zip(pieces, [0.0] * len(SPECIAL_TOKENS) + scores, strict=True)):
        model.pieces.add(piece=piece, score=score, type=_type(number, piece, settings))
    spec = {"model_type": _MODEL_TYPES[settings.model], "vocab_size": len(pieces), **_SPECIALS}
    for name, value in {**spec, "byte_fallback": settings.byte_fallback}.items():
        setattr(model.trainer_spec, name, value)
    model.normalizer_spec.name = "identity"
    return model.SerializeToString(deterministic=True)


def _type(number: int, piece: str, settings: TokenizerSettings) -> int:
    if number < len(SPECIAL_TOKENS):
        return _UNKNOWN if number == UNKNOWN_TOKEN_ID else _CONTROL
    # The library puts the bytes before all other pieces.
    is_byte = settings.byte_fallback and number < len(SPECIAL_TOKENS) + 256 and _BYTE.fullmatch(piece)
    return _AS_BYTE if is_byte else _NORMAL


def _frequent(counts: dict[str, int]) -> list[str]:
    """The most frequent words; of equally frequent ones a fair sample, since code points go by languages."""
    kept, characters = [], 0
    for word in sorted(
        filter(_RESERVED.isdisjoint, counts), key=lambda word: (-counts[word], zlib.crc32(word.encode()), word)
    ):
        characters += len(word) + 1
        if characters > _MOST_CHARACTERS:
            break
        kept.append(word)
    return sorted(kept)


def _lines(counts: dict[str, int]) -> Iterator[str]:
    """Texts with the number of times that each stands for: every word comes to its count.

    A text for each power of two, twice over, so that a word of count 2 or more stands in several of them: for unigram
    the library tries whole words only where they do.
    """
    words = _frequent(counts)
    for power in range(max(map(counts.__getitem__, words), default=0).bit_length()):
        for rounded in (0, 1):
            if line := " ".join(word for word in words if ((counts[word] + rounded) // 2) >> power & 1):
                yield f"{line}\t{1 << power}"


def _no_room(settings: TokenizerSettings, needed: int) -> SeqlineError:
    return SeqlineError(
        "tokenizer.vocabulary_size must have room for the special tokens, the bytes of tokenizer.byte_fallback and the "
        f"characters that tokenizer.character_coverage asks for: {needed} at least. Received: "
        f"{settings.vocabulary_size}. Raise it, or lower tokenizer.character_coverage."
    )


@functools.cache
def _messages() -> dict[str, Any]:
    """Classes of `_MESSAGES`, of a pool of their own: tensorflow-text may bring the full ones."""
    package, field = "seqline.sentencepiece", descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package)
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            inner = {"type_name": f".{package}.{kind}"} if isinstance(kind, str) else {}
            label = field.LABEL_REPEATED if name == "pieces" else field.LABEL_OPTIONAL
            type_of = field.TYPE_MESSAGE if inner else kind
            described.field.add(name=name, number=number, label=label, type=type_of, **inner)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in _MESSAGES
    }
