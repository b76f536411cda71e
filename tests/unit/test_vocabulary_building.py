"""What is built without checking is what the constructor makes."""

from __future__ import annotations

from exportguard.vocabulary import Action, Item, ItemKind, Location, ProvisioningRequest, Transfer, Unknown
from exportguard.vocabulary.building import built


def test_what_is_built_is_what_the_constructor_makes() -> None:
    """Equal, printed alike, copied alike, pickled alike: for every class that adapters build."""
    given = {"kind": ItemKind.ACCELERATOR, "instance_type": "Standard_D2s_v3", "instances": Unknown("x"), "where": None}
    item = Item(**given)
    place = Location(region="westeurope", cloud=None)
    request = {
        "provider": "azure", "service": "s", "operation": "o", "action": Action.PROVISION, "account": Unknown("y"),
        "locations": (place,), "items": (item,), "transfer": Transfer.REMOTE_ACCESS, "tags": {"a": "b"},
    }  # fmt: skip
    for kind, values in ((Item, given), (ProvisioningRequest, request)):
        one, other = built(kind, **values), kind(**values)  # type: ignore[type-var]
        assert one == other
        assert repr(one) == repr(other)
        assert one.model_dump() == other.model_dump()  # type: ignore[attr-defined]
        assert one.model_dump_json(exclude_unset=True) == other.model_dump_json(exclude_unset=True)  # type: ignore[attr-defined]
        assert one.model_copy(update={"name": "n"}) == other.model_copy(update={"name": "n"})  # type: ignore[attr-defined]
    assert hash(built(Item, **given)) == hash(item)
