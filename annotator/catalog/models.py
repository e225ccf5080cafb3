"""What a site stocks."""

from __future__ import annotations

import uuid

from django.db import models


class Category(models.Model):
    """A node of a site's category tree. ``path`` joins the names from the root by slashes."""

    site = models.ForeignKey("accounts.Site", related_name="categories", on_delete=models.CASCADE)
    parent = models.ForeignKey("self", null=True, related_name="children", on_delete=models.PROTECT)
    name = models.CharField(max_length=128)
    path = models.CharField(max_length=512)

    class Meta:
        verbose_name_plural = "categories"
        constraints = [models.UniqueConstraint(fields=["site", "path"], name="category_path_once")]

    def __str__(self) -> str:
        return self.path


class SiteCatalog(models.Model):
    """The head of a site's catalog. Who changes SKUs takes the next ``number`` under this row's lock
    and gives it to them; ``token`` tells one catalog from another that has the same id."""

    site = models.OneToOneField("accounts.Site", related_name="catalog", on_delete=models.CASCADE)
    token = models.UUIDField(default=uuid.uuid4)
    number = models.PositiveBigIntegerField(default=0)


class Sku(models.Model):
    """One catalog entry. ``code_key`` is the normalised code that comparisons use; ``pinyin`` and
    ``initials`` are of the name and brand, for completion. ``weight_g`` is what one ``unit`` of it
    weighs, in grams. ``uses`` counts decisions, half of them
    forgotten each week, as of ``used_at``. A SKU that was ``merged_into`` another is not active."""

    site = models.ForeignKey("accounts.Site", related_name="skus", on_delete=models.CASCADE)
    code = models.CharField(max_length=64)
    code_key = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    brand = models.CharField(max_length=128, blank=True)
    category = models.ForeignKey(Category, null=True, related_name="skus", on_delete=models.PROTECT)
    spec = models.CharField(max_length=128, blank=True)
    unit = models.CharField(max_length=32, blank=True)
    barcode = models.CharField(max_length=64, blank=True)
    pack_text = models.TextField(blank=True)
    sales_volume = models.FloatField(default=0.0)
    weight_g = models.FloatField(null=True, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    pinyin = models.CharField(max_length=512, blank=True)
    initials = models.CharField(max_length=256, blank=True)
    uses = models.FloatField(default=0.0)
    used_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey(
        "self", null=True, related_name="merged", on_delete=models.PROTECT
    )
    change_number = models.PositiveBigIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "code_key"], name="sku_code_once"),
        ]
        indexes = [
            models.Index(fields=["site", "barcode"], name="sku_barcode"),
            models.Index(fields=["site", "change_number"], name="sku_change"),
            models.Index(fields=["site", "code", "id"], name="sku_list"),
        ]

    def __str__(self) -> str:
        return self.code


class ReferencePicture(models.Model):
    """A clean picture of a SKU."""

    sku = models.ForeignKey(Sku, related_name="pictures", on_delete=models.CASCADE)
    image = models.ForeignKey("media.StoredImage", related_name="+", on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sku", "image"], name="reference_once")]
