"""The category tree: reading paths, making, renaming, moving and removing nodes."""

from __future__ import annotations

from django.db import transaction

from annotator.accounts.models import Site, User
from annotator.core import audit, events
from annotator.core.errors import Conflict, FieldError, Invalid

from .models import Category, Sku

MAX_PATH = 512


def clean_path(path: str) -> str:
    """``path`` with single slashes between trimmed names; ``>`` parts names as well."""
    return "/".join(part.strip() for part in path.replace(">", "/").split("/") if part.strip())


class Tree:
    """A site's categories by path, growing as paths are asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known = dict(Category.objects.filter(site=site).values_list("path", "pk"))

    def at(self, path: str) -> int | None:
        """The id of the category at ``path``; it and its ancestors are made where they are new."""
        path = clean_path(path)
        if not path:
            return None
        if path not in self._known:
            head, _, name = path.rpartition("/")
            row, _ = Category.objects.get_or_create(
                site=self._site, path=path, defaults={"parent_id": self.at(head), "name": name}
            )
            self._known[path] = row.pk
        return self._known[path]


def add_category(*, site: Site, name: str, parent: Category | None, actor: User) -> Category:
    """A new category below ``parent``, or at the root. Raises Invalid or Conflict."""
    with transaction.atomic():
        _lock(site)
        path = _path(name, parent)
        if Category.objects.filter(site=site, path=path).exists():
            raise Conflict("conflict", detail=path)
        row = Category.objects.create(site=site, name=name.strip(), parent=parent, path=path)
        audit.record(action="category.added", on=row, actor=actor, site_id=site.pk, path=path)
    return row


def change_category(
    *, category: Category, name: str, parent: Category | None, actor: User
) -> Category:
    """Rename a category or hang it elsewhere, with all below it. Raises Invalid for a place below
    itself, Conflict for one that is taken."""
    with transaction.atomic():
        _lock(category.site)
        category = Category.objects.select_related("site").get(pk=category.pk)
        old, path = category.path, _path(name, parent)
        if parent is not None and f"{parent.path}/".startswith(f"{old}/"):
            raise Invalid([FieldError("parent", "below_itself", {"path": old})])
        if path != old and Category.objects.filter(site=category.site, path=path).exists():
            raise Conflict("conflict", detail=path)
        below = list(Category.objects.filter(site=category.site, path__startswith=f"{old}/"))
        category.name, category.parent, category.path = name.strip(), parent, path
        category.save(update_fields=["name", "parent", "path"])
        for row in below:
            row.path = f"{path}/{row.path.removeprefix(f'{old}/')}"[:MAX_PATH]
        Category.objects.bulk_update(below, ["path"])
        _tell(category.site, [category, *below])
        audit.record(
            action="category.changed",
            on=category,
            actor=actor,
            site_id=category.site_id,
            old=old,
            new=path,
        )
    return category


def remove_category(*, category: Category, into: Category | None, actor: User) -> None:
    """Remove a category; its SKUs go to ``into``. Raises Conflict when it has categories below it,
    or SKUs and nowhere to put them."""
    with transaction.atomic():
        _lock(category.site)
        if category.children.exists():
            raise Conflict("category_has_children", path=category.path)
        skus = Sku.objects.filter(category=category)
        if into is None and skus.exists():
            raise Conflict("category_has_skus", path=category.path, count=skus.count())
        moved = list(skus.values_list("pk", flat=True))
        skus.update(category=into)
        events.publish_many("sku.changed", [{"sku": pk, "site": category.site_id} for pk in moved])
        audit.record(
            action="category.removed",
            on=category,
            actor=actor,
            site_id=category.site_id,
            path=category.path,
            into=into.path if into else None,
        )
        category.delete()


def _lock(site: Site) -> None:
    """One writer of a site's tree at a time."""
    Site.objects.select_for_update().get(pk=site.pk)


def _path(name: str, parent: Category | None) -> str:
    name = name.strip()
    if not name or "/" in name or ">" in name:
        raise Invalid([FieldError("name", "bad_category_name", {"value": name})])
    path = f"{parent.path}/{name}" if parent else name
    if len(path) > MAX_PATH:
        raise Invalid([FieldError("name", "bad_category_name", {"value": name})])
    return path


def _tell(site: Site, categories: list[Category]) -> None:
    """The SKUs of renamed categories have changed for whoever learned of them."""
    skus = Sku.objects.filter(category__in=categories).values_list("pk", flat=True)
    events.publish_many("sku.changed", [{"sku": pk, "site": site.pk} for pk in skus])
