"""Figures are keyed in twice: by one officer, then by another who does not see the first.

What was keyed is saved after every figure; differences are shown and settled one by one.
"""


class Keying:
    """Keys the figures of `form` on `screens`; `known` {field: figure} is offered to be checked."""

    def __init__(self, screens, form, known=None):
        self.screens = screens
        self.form = form
        self.known = known or {}

    async def all(self, title, values, page, keep):
        """All figures, page by page, going on after `values` and from page index `page`.

        `keep(values, page)` saves what was keyed so far. HAPUS on the first figure of a page goes
        back to the page before.
        """
        screens, form = self.screens, self.form
        while page < len(form.pages):
            number, _, fields = form.pages[page]
            start = sum(len(p[2]) for p in form.pages[:page])
            labels = [form.label(field, screens.t) for field in fields]
            name = (title, number)

            def save(keyed, before=values[:start], page=page):
                keep(before + keyed, page)

            known = [self.known.get(field) for field in fields]
            keyed = await screens.figures(
                name, labels, values[start : start + len(fields)], save, known=known
            )
            if keyed == screens.BACK:
                page = max(page - 1, 0)
            else:
                values = values[:start] + keyed
                page += 1
                keep(values, page)
        return values

    async def settle(self, first, second, keep):
        """The figures both agree on; each difference is chosen from the two, or keyed in anew."""
        screens, form, t = self.screens, self.form, self.screens.t
        first, second = list(first), list(second)
        for at, field in enumerate(form.fields):
            while first[at] != second[at]:
                label = form.label(field, t)
                items = [self.shown(first[at]), self.shown(second[at]), "Key it in again"]
                choice = await screens.menu("The two officers differ", items, note=label)
                if choice == 2:
                    answer = await screens.number("Key it in again", label, 3)
                    if answer == screens.BACK:
                        continue
                    first[at] = second[at] = answer
                elif choice is not None:
                    first[at] = second[at] = (first[at], second[at])[choice]
                keep(first, second)
        return second

    def shown(self, figure):
        """A figure as a menu item."""
        return "Left empty" if figure is None else str(figure)
