"""Whether what a checkpoint file holds is what training writes, as far as prediction and evaluation rely on it."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from nocigram.core.actions import ActionScheme
from nocigram.core.errors import InputError
from nocigram.core.literals import Approach

_RECORD_KEYS = {"recording", "sides"}


def wrong_parts(content: Mapping[str, Any]) -> list[str]:
    """Keys whose values are of another kind than training writes, or contradict the others."""
    return [key for key, is_right in _CHECKS.items() if key in content and not is_right(content)]


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _are_classes(content: Mapping[str, Any]) -> bool:
    classes = content["classes"]
    return _are_words(classes) and len(set(classes)) == len(classes) >= 2


def _is_model(content: Mapping[str, Any]) -> bool:
    model, classes = content["model"], content.get("classes")
    return isinstance(model, dict) and (not isinstance(classes, list) or model.get("n_actions") == len(classes))


def _is_scheme(content: Mapping[str, Any]) -> bool:
    scheme = content["scheme"]
    if not isinstance(scheme, dict) or not {"names", "merges", "ignore"} <= scheme.keys():
        return False
    if not (_are_words(scheme["names"]) and isinstance(scheme["merges"], dict) and _are_words(scheme["ignore"])):
        return False
    try:
        made = ActionScheme(tuple(scheme["names"]), scheme["merges"], frozenset(scheme["ignore"]))
    except (InputError, TypeError):
        return False
    return list(made.classes) == content.get("classes")


def _is_split(content: Mapping[str, Any]) -> bool:
    split = content["split"]
    return isinstance(split, dict) and _are_words(split.get("train")) and _are_words(split.get("val"))


def _are_records(content: Mapping[str, Any]) -> bool:
    seen = content["seen"]
    return isinstance(seen, list) and all(isinstance(each, dict) and each.keys() >= _RECORD_KEYS for each in seen)


def _of(key: str, *kinds: type) -> Callable[[Mapping[str, Any]], bool]:
    """A value of one of these kinds."""
    return lambda content: isinstance(content[key], kinds)


_CHECKS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "model_state_dict": _of("model_state_dict", dict),
    "ema_state_dict": _of("ema_state_dict", dict),
    "classes": _are_classes,
    "orig_classes": lambda content: _are_words(content["orig_classes"]),
    "col_map": _of("col_map", dict),
    "merge_idxs": _of("merge_idxs", list),
    "best_thresholds": _of("best_thresholds", list),
    "kp_names": lambda content: _are_words(content["kp_names"]),
    "val_metrics": _of("val_metrics", dict),
    "args": _of("args", dict),
    "approach": lambda content: content["approach"] in get_args(Approach),
    "model": _is_model,
    "backbone": _of("backbone", dict, type(None)),
    "scheme": _is_scheme,
    "split": _is_split,
    "seen": _are_records,
    "extra": _of("extra", dict),
}
