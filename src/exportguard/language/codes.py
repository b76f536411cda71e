"""What each code of a problem in policy text means, at more length than fits beside a caret."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "EG100": "The file could not be opened or read.",
    "EG101": "The text is longer than a policy file may be. It was not parsed. Split it into several policies.",
    "EG102": "The text is not UTF-8, or holds a character that is not shown or that makes text read otherwise than it "
    "is: control characters, zero-width characters, marks that change the direction of writing. Policies are reviewed "
    "by eye, so what is seen has to be what is meant.",
    "EG103": "The text is not YAML, or a key is not plain text.",
    "EG104": "A tab, or a character that only looks like a space, stands where YAML counts or needs spaces.",
    "EG105": "A key is given twice in one mapping. YAML readers commonly keep the last and drop the first in silence; "
    "a dropped rule would be a hole, so both are refused.",
    "EG106": "Anchors, aliases, tags, merge keys and directives are refused: every scalar is read as the text that "
    "stands there, and nothing is copied from elsewhere.",
    "EG107": "A file holds one document. A second one, after `---`, is refused rather than ignored.",
    "EG108": "The document is nested more deeply than any policy needs.",
    "EG109": "The document holds more values than any policy needs.",
    "EG110": "The key is not one that is known here. A misspelt key would otherwise be a rule that silently says less.",
    "EG111": "A key that is needed is missing.",
    "EG112": "The value under a key has another shape than it needs (text, list, mapping), is empty, or is too long.",
    "EG113": "The file holds no policy.",
    "EG201": "The condition is not CEL: something is missing, left over, or not closed.",
    "EG202": "A name is none that a condition sees: `request`, `item`, `party`, `location`, `usage`, a variable of the "
    "policy as `variables.name`, or the variable of a macro around it.",
    "EG203": "The record has no such field. The fact schema lists them.",
    "EG204": "There is no function of this name, or it is written as a method where it is a function (or the reverse).",
    "EG205": "An operator or function is given values of types that it does not take. CEL converts nothing by itself.",
    "EG206": "A `when`, an `unless` and the scope of an authorization have to be true or false.",
    "EG207": "A comparison can never hold (or never fail), because the types or vocabularies of its sides have nothing "
    "in common. It is almost always a slip, and in a deny rule it is a hole.",
    "EG208": "The text is compared with a fact of a closed vocabulary (countries as ISO 3166 alpha-2, ECCNs, "
    "accelerator ids and families, model families, list codes, regions, roles, actions) and is none of its words.",
    "EG209": "Reference data has no country group of this name.",
    "EG210": "This is CEL, but outside the profile that policies use. What the profile leaves out is refused by name.",
    "EG211": "`unknown(path)` asks whether a fact is missing. It may stand only in the `when` of hold and flag rules, "
    "joined by `&&` and `||` (inside `exists` and `all` too): anywhere else, hiding a fact could unlock a request.",
    "EG212": "In the worst case the condition takes more steps than one decision may. Nested loops over lists are the "
    "usual reason; a rule is asked of every item, party and location by itself and seldom needs them.",
    "EG213": "The condition is nested too deeply. Chains of `&&` and `||` may be as long as they like.",
    "EG214": "The regular expression is not written out as a literal, too long, or none that RE2 accepts.",
    "EG215": "A literal is out of range, is not finite, cannot be what it is converted to, or names no time zone.",
    "EG216": "A variable is defined by itself, directly or through others.",
    "EG217": "The threshold makes no sense in the unit of the fact: a fraction for a percentage, TB/s for GB/s.",
    "EG218": "A message puts in facts as `{party.name}`: facts only, and only of what the rule is asked over.",
    "EG219": "A macro, `has` or `unknown` is not written as it has to be.",
    "EG220": "A `//` comment in a text that YAML folds into one line swallows all that follows it. Use a block: `|`.",
    "EG221": "The condition is too long, by itself or once its variables are put in.",
    "EG301": "Two policies of a load, or two rules of a policy, have one id.",
    "EG302": "The value is not one of the words that the key knows.",
    "EG303": "Dates are `2023-11-17`, or RFC 3339 with an offset. A bare date is its first instant, UTC.",
    "EG304": "A period ends before it starts, or at once. `until` is the first instant that is out.",
    "EG305": "`if_unknown: flag` lets requests pass whose facts are missing; it needs a `why` for reviewers.",
    "EG306": "A rule over `usage` says over whom and how long: `per: {by: end_user, period: P1Y}`.",
    "EG307": "Ids and names are short and plain, because they go into records and messages.",
    "EG401": "No instant is both within the rule's dates and within a status in which it is asked.",
    "EG402": "A variable that no condition uses.",
    "EG403": "No facts at all make the condition true: one fact would need two values, a number would have to lie in "
    "an empty interval, or an item would have to be an accelerator and a model at once.",
    "EG404": "The condition, or a part of it joined by `&&`, is true whatever its facts are, as far as they are known: "
    "`x != 'a' || x != 'b'` asks nothing. If that is meant, write `true`.",
    "EG405": "Wherever this rule matches, another one matches with at least the same effect, is lifted by nothing that "
    "does not lift this one, and is in force whenever this one is. The rule changes no outcome.",
    "EG406": "Two rules say the same. Keep one, or make them differ.",
    "EG407": "Every rule of the policy ended before the day of the check: none is asked any more. One ended rule "
    "beside others is history, and is needed to decide as of then.",
    "EG408": "`if_unknown: flag` is for rules that must not hold what nobody controls. This deny rule is about "
    "accelerators for what they are, so a missing fact lets a controlled chip pass.",
    "EG409": "A rule that restates law or a provider's terms names where they stand.",
    "EG410": "Where `when` is true the `unless` never is, or always: it lifts nothing, or leaves nothing of the rule.",
    "EG411": "Two statuses of the rule are dated so that both hold at some instant. The stricter one counts (enforced, "
    "codified, unverified, suspended, proposed); end one where the other begins.",
    "EG412": "The list of rules is empty: the policy denies, holds and flags nothing.",
    "EG413": "A macro asks its list element by element, and what stands behind its comma never names the element: it "
    "is the same for all of them. Most often another list or another macro's variable was named by mistake.",
    "EG414": "Braces that are written twice stand for braces, so that the reader sees the path and not the fact; and "
    "only `because` puts in facts, `title` and `remedy` are shown as they are written.",
    "EG415": "Between two statuses there is a time in which the rule has none. It is not asked then, as if it had "
    "ended; `suspended` says the same in so many words.",
    "EG416": "A file in the folder is a policy by what it says and is not loaded for what it is called: policies are "
    "files whose names end in `.yaml` or `.yml` and do not start with a dot.",
    "EG501": "The suite (`tests.yaml`) cannot be read: the message names what is wrong and where.",
    "EG502": "The customers document cannot be read.",
    "EG503": "The authorizations document cannot be read, or the scope of one of them is no condition.",
    "EG504": "A case of the suite names a rule that the policies beside it do not have.",
    "EG505": "The properties cannot be read, or the packs or policies that they speak of cannot be loaded.",
}


def explain(code: str) -> str | None:
    """The explanation of a code such as `EG203`; None for a code that does not exist."""
    return EXPLANATIONS.get(code.strip().upper())
