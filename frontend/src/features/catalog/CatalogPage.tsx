import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCategories } from "@/api/categories";
import { flatten } from "@/api/paging";
import type { Category, Sku } from "@/api/types";
import type { Column } from "@/components/list/columns";
import { ListTable, Nothing, Thumb } from "@/components/list/ListTable";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { ColumnsMenu } from "@/features/views/ColumnsMenu";
import { useColumns } from "@/features/views/useColumns";
import { ViewsMenu } from "@/features/views/ViewsMenu";
import { integer } from "@/lib/format";
import { CategoryDialog } from "./CategoryDialog";
import { ImportDialog } from "./ImportDialog";
import { SkuDrawer } from "./SkuDrawer";
import { useSkus, type SkuFilter } from "./skus";
import styles from "./catalog.module.css";

export interface CatalogView extends SkuFilter {
  sku?: number;
  cols?: string;
}

interface Props {
  site: number;
  view: CatalogView;
  onView: (view: CatalogView) => void;
  mayEdit: boolean;
}

interface TreeProps {
  site: number;
  chosen: number | undefined;
  onChoose: (id: number | undefined) => void;
  mayEdit: boolean;
}

function Tree({ site, chosen, onChoose, mayEdit }: TreeProps) {
  const { t } = useTranslation();
  const categories = useCategories(site).data?.results ?? [];
  const [edited, setEdited] = useState<Category | "new" | undefined>();
  const current = categories.find((one) => one.id === chosen);
  return (
    <nav className={styles.tree} aria-label={t("catalog.fields.category")}>
      <button type="button" aria-pressed={chosen === undefined} onClick={() => onChoose(undefined)}>
        {t("common.all")}
      </button>
      {categories.map((category) => (
        <button key={category.id} type="button" aria-pressed={chosen === category.id} style={{ paddingLeft: 8 + category.depth * 14 }} data-testid={`category-${category.id}`} onClick={() => onChoose(category.id)}>
          {category.name} <span className="dim">{category.sku_count}</span>
        </button>
      ))}
      {mayEdit && (
        <div className={styles.treeTools}>
          <button type="button" onClick={() => setEdited("new")} data-testid="category-new">
            + {t("catalog.newCategory")}
          </button>
          {current && (
            <button type="button" onClick={() => setEdited(current)} data-testid="category-edit">
              {t("catalog.editCategory", { name: current.name })}
            </button>
          )}
        </div>
      )}
      {edited && <CategoryDialog key={edited === "new" ? 0 : edited.id} site={site} categories={categories} category={edited === "new" ? null : edited} onClose={() => setEdited(undefined)} />}
    </nav>
  );
}

export function CatalogPage({ site, view, onView, mayEdit }: Props) {
  const { t, i18n } = useTranslation();
  const [importing, setImporting] = useState(false);
  const query = useSkus(site, { search: view.search, category: view.category });
  const skus = flatten(query.data);
  const columns = useColumns<Sku>(
    "catalog",
    [
      { key: "photo", label: t("review.photo"), cell: (sku) => <Thumb src={sku.pictures[0]?.thumb} /> },
      {
        key: "code",
        label: t("catalog.fields.code"),
        fixed: true,
        cell: (sku) => (
          <>
            <button type="button" className={styles.code} onClick={() => onView({ ...view, sku: sku.id })}>
              {sku.code}
            </button>{" "}
            {!sku.active && <span className="tag">{t("catalog.inactive")}</span>}
          </>
        ),
      },
      {
        key: "name",
        label: t("catalog.fields.name"),
        cell: (sku) => (
          <>
            {sku.name} <span className="dim">{sku.brand}</span>
          </>
        ),
      },
      { key: "category", label: t("catalog.fields.category"), cell: (sku) => sku.category?.path ?? <Nothing /> },
      { key: "spec", label: t("catalog.fields.spec"), cell: (sku) => sku.spec },
      { key: "unit", label: t("catalog.fields.unit"), off: true, cell: (sku) => sku.unit || <Nothing /> },
      { key: "barcode", label: t("catalog.fields.barcode"), cell: (sku) => <span className="mono">{sku.barcode}</span> },
      { key: "sales", label: t("catalog.sales"), num: true, cell: (sku) => integer(sku.sales_volume, i18n.language) },
    ] satisfies Column<Sku>[],
    view.cols,
  );
  const filtered = Boolean(view.search) || view.category !== undefined;
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("catalog.title")}</h1>
        <span className="spacer" />
        <SearchInput value={view.search ?? ""} onSearch={(search) => onView({ ...view, search: search || undefined })} label={t("catalog.search")} testId="catalog-search" />
        <ViewsMenu site={site} page="catalog" query={{ search: view.search, category: view.category, cols: view.cols }} columns={columns.shown} onChoose={(chosen) => onView(chosen)} />
        <ColumnsMenu columns={columns} onChosen={() => onView({ ...view, cols: undefined })} />
        {mayEdit && (
          <>
            <Button size="xs" variant="default" onClick={() => onView({ ...view, sku: 0 })} data-testid="sku-new">
              {t("catalog.newSku")}
            </Button>
            <Button size="xs" onClick={() => setImporting(true)} data-testid="import-open">
              {t("catalog.import")}
            </Button>
          </>
        )}
      </div>
      <div className={styles.layout}>
        <Tree site={site} mayEdit={mayEdit} chosen={view.category} onChoose={(category) => onView({ ...view, category })} />
        <div className="panel">
          {query.isPending && <RowsSkeleton />}
          {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
          {query.isSuccess && skus.length === 0 && (
            <EmptyState title={filtered ? t("catalog.noMatch") : t("catalog.empty")}>
              {filtered ? (
                t("tasks.emptyFilter")
              ) : mayEdit ? (
                <Button size="xs" onClick={() => setImporting(true)}>
                  {t("catalog.import")}
                </Button>
              ) : (
                t("catalog.emptyHint")
              )}
            </EmptyState>
          )}
          {skus.length > 0 && (
            <ListTable columns={columns.shown} rows={skus} rowKey={(sku) => sku.id} testId={(sku) => `sku-row-${sku.code}`} />
          )}
          <More query={query} />
        </div>
      </div>
      <ImportDialog site={site} opened={importing} onClose={() => setImporting(false)} />
      <SkuDrawer site={site} id={view.sku} mayEdit={mayEdit} onOpen={(sku) => onView({ ...view, sku })} onClose={() => onView({ ...view, sku: undefined })} />
    </div>
  );
}
