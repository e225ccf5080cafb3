import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCategories } from "@/api/categories";
import { flatten } from "@/api/paging";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { integer } from "@/lib/format";
import { ImportDialog } from "./ImportDialog";
import { SkuDrawer } from "./SkuDrawer";
import { useSkus, type SkuFilter } from "./skus";
import styles from "./catalog.module.css";

export interface CatalogView extends SkuFilter {
  sku?: number;
}

interface Props {
  site: number;
  view: CatalogView;
  onView: (view: CatalogView) => void;
  mayEdit: boolean;
}

function Tree({ site, chosen, onChoose }: { site: number; chosen: number | undefined; onChoose: (id: number | undefined) => void }) {
  const { t } = useTranslation();
  const { data } = useCategories(site);
  return (
    <nav className={styles.tree} aria-label={t("catalog.fields.category")}>
      <button type="button" aria-pressed={chosen === undefined} onClick={() => onChoose(undefined)}>
        {t("common.all")}
      </button>
      {data?.results.map((category) => (
        <button key={category.id} type="button" aria-pressed={chosen === category.id} style={{ paddingLeft: 8 + category.depth * 14 }} data-testid={`category-${category.id}`} onClick={() => onChoose(category.id)}>
          {category.name} <span className="dim">{category.sku_count}</span>
        </button>
      ))}
    </nav>
  );
}

export function CatalogPage({ site, view, onView, mayEdit }: Props) {
  const { t, i18n } = useTranslation();
  const [importing, setImporting] = useState(false);
  const query = useSkus(site, view);
  const skus = flatten(query.data);
  const filtered = Boolean(view.search) || view.category !== undefined;
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("catalog.title")}</h1>
        <span className="spacer" />
        <SearchInput value={view.search ?? ""} onSearch={(search) => onView({ ...view, search: search || undefined })} label={t("catalog.search")} testId="catalog-search" />
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
        <Tree site={site} chosen={view.category} onChoose={(category) => onView({ ...view, category })} />
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
            <div className="tableWrap">
              <table className="list">
                <thead>
                  <tr>
                    <th />
                    <th>SKU</th>
                    <th>{t("catalog.fields.name")}</th>
                    <th>{t("catalog.fields.category")}</th>
                    <th>{t("catalog.fields.spec")}</th>
                    <th>{t("catalog.fields.barcode")}</th>
                    <th className="num">{t("catalog.sales")}</th>
                  </tr>
                </thead>
                <tbody>
                  {skus.map((sku) => (
                    <tr key={sku.id} data-testid={`sku-row-${sku.code}`}>
                      <td>{sku.pictures[0] ? <img className="thumb" src={sku.pictures[0].thumb} alt="" loading="lazy" /> : <span className="thumb" />}</td>
                      <td>
                        <button type="button" className={styles.code} onClick={() => onView({ ...view, sku: sku.id })}>
                          {sku.code}
                        </button>{" "}
                        {!sku.active && <span className="tag">{t("catalog.inactive")}</span>}
                      </td>
                      <td>
                        {sku.name} <span className="dim">{sku.brand}</span>
                      </td>
                      <td>{sku.category?.path ?? "–"}</td>
                      <td>{sku.spec}</td>
                      <td className="mono">{sku.barcode}</td>
                      <td className="num">{integer(sku.sales_volume, i18n.language)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <More query={query} />
        </div>
      </div>
      <ImportDialog site={site} opened={importing} onClose={() => setImporting(false)} />
      <SkuDrawer site={site} id={view.sku} mayEdit={mayEdit} onOpen={(sku) => onView({ ...view, sku })} onClose={() => onView({ ...view, sku: undefined })} />
    </div>
  );
}
