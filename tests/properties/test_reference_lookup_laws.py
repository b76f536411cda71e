"""Laws of the look-ups by name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exportguard.reference import InstanceFact, NoAccelerator, default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()
AWS = [row["name"] for row in REFERENCE.table("instances_aws")["instances"]]
AZURE = [row["name"] for row in REFERENCE.table("instances_azure")["instances"]]
NAMES = st.text(max_size=60) | st.sampled_from([*AWS, *AZURE, *sorted(REFERENCE.accelerator_ids)])


def recased(name: str, flips: list[bool]) -> str:
    return "".join(c.upper() if flip else c.lower() for c, flip in zip(name, flips, strict=False))


@given(name=NAMES, provider=st.sampled_from(["aws", "azure", "openai", "AWS", "gcp", ""]))
def test_no_name_makes_a_look_up_raise(name: str, provider: str) -> None:
    """Whatever text arrives, the answer is a fact or unknown."""
    assert isinstance(REFERENCE.instance(provider, name), InstanceFact | NoAccelerator | Unknown)
    REFERENCE.region(provider, name)
    REFERENCE.model(provider, name)
    REFERENCE.country(name)
    REFERENCE.azure_sku(name)
    REFERENCE.geography(name)
    assert isinstance(REFERENCE.accelerators(name), tuple)


@given(name=st.sampled_from(AWS) | st.sampled_from(AZURE), data=st.data())
def test_the_case_of_a_name_never_makes_it_harmless(name: str, data: st.DataObject) -> None:
    """An accelerated type in any case is the same type."""
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    provider = "azure" if name in AZURE else "aws"
    plain, other = REFERENCE.instance(provider, name), REFERENCE.instance(provider, recased(name, flips))
    assert type(plain) is type(other)
    assert not isinstance(other, NoAccelerator)


@given(
    name=st.sampled_from(AWS) | st.sampled_from(AZURE),
    junk=st.text("abpg0159._-", min_size=1, max_size=6),
    front=st.booleans(),
)
def test_letters_around_an_accelerated_name_never_make_it_harmless(name: str, junk: str, front: bool) -> None:
    """A misspelt accelerated type is the type, another accelerated one or unknown."""
    text = junk + name if front else name + junk
    if front and text.startswith(("db.", "cache.")):
        return
    assert not isinstance(REFERENCE.instance("azure" if name in AZURE else "aws", text), NoAccelerator)


@given(
    family=st.sampled_from(["p", "g", "gr", "inf", "trn", "dl", "vt", "f", "q", "k", "tpu", "npu"]),
    number=st.integers(1, 30),
    attributes=st.text("abdegn", max_size=3),
    size=st.sampled_from(["large", "xlarge", "48xlarge", "metal"]),
)
def test_a_family_that_could_carry_accelerators_is_never_harmless(
    family: str, number: int, attributes: str, size: str
) -> None:
    """New generations and new letters of accelerated families are unknown until the data has them."""
    assert not isinstance(REFERENCE.instance("aws", f"{family}{number}{attributes}.{size}"), NoAccelerator)
    assert not isinstance(REFERENCE.instance("aws", f"ml.{family}{number}{attributes}.{size}"), NoAccelerator)


@given(
    family=st.sampled_from(["NC", "ND", "NV", "NG", "NP", "NX", "N"]),
    cores=st.integers(1, 999),
    features=st.text("adirsml", max_size=4),
    chip=st.sampled_from(["", "_A100", "_H100", "_X9"]),
    version=st.integers(1, 20),
)
def test_an_n_size_is_never_harmless(family: str, cores: int, features: str, chip: str, version: int) -> None:
    """Azure's N sizes carry accelerators: one that is not in the data is unknown."""
    name = f"Standard_{family}{cores}{features}{chip}_v{version}"
    assert not isinstance(REFERENCE.instance("azure", name), NoAccelerator)


@given(name=st.sampled_from(sorted(REFERENCE.accelerator_ids | REFERENCE.accelerator_families)))
def test_an_accelerators_name_is_never_a_harmless_type(name: str) -> None:
    """`H100`, `L4` or `B200` where a type is expected is unknown, though A, B, H, L and M are families of sizes."""
    for provider in ("aws", "azure"):
        assert not isinstance(REFERENCE.instance(provider, name), NoAccelerator)
        if name.lower() != "t4g":  # an EC2 family of its own: burstable, ARM, no accelerator
            assert not isinstance(REFERENCE.instance(provider, f"{name}.large"), NoAccelerator)


@given(name=st.sampled_from(sorted(REFERENCE.accelerator_ids | REFERENCE.accelerator_families)), data=st.data())
def test_spacing_and_case_do_not_change_an_accelerator(name: str, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    between = data.draw(st.sampled_from(["-", " ", "_", ""]))
    other = recased(name, flips).replace("-", between).replace(" ", between)
    assert {s.family for s in REFERENCE.accelerators(other)} == {s.family for s in REFERENCE.accelerators(name)}
