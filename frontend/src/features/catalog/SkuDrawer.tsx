import { Button, Drawer, NumberInput, Switch, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCategories } from "@/api/categories";
import { asProblem } from "@/api/problem";
import type { Sku } from "@/api/types";
import { FilePicker } from "@/components/FilePicker";
import { ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { MergeSku } from "./MergeSku";
import { useAddPicture, useRemovePicture } from "./pictures";
import { useSaveSku, type SkuEdit } from "./saveSku";
import { useSku } from "./sku";
import styles from "./catalog.module.css";

const TEXTS = ["code", "name", "brand", "spec", "unit", "barcode"] as const;

function Form({ site, sku, mayEdit, onSaved }: { site: number; sku: Sku | null; mayEdit: boolean; onSaved: (sku: Sku) => void }) {
  const { t } = useTranslation();
  const save = useSaveSku(site, sku?.id ?? null);
  const categories = useCategories(site).data?.results ?? [];
  const problemText = useProblemText();
  const [edit, setEdit] = useState<SkuEdit>({
    code: sku?.code ?? "",
    name: sku?.name ?? "",
    brand: sku?.brand ?? "",
    category: sku?.category?.path ?? "",
    spec: sku?.spec ?? "",
    unit: sku?.unit ?? "",
    barcode: sku?.barcode ?? "",
    weight_g: sku?.weight_g ?? null,
    pack_text: sku?.pack_text ?? "",
    active: sku?.active ?? true,
  });
  const errors = save.isError ? asProblem(save.error).errors : [];
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message;
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ ...edit, version: sku?.version }, {
          onSuccess: (saved) => {
            notify({ tone: "agree", text: t("catalog.saved") });
            onSaved(saved);
          },
        });
      }}
    >
      {TEXTS.map((key) => (
        <TextInput key={key} size="xs" label={t(`catalog.fields.${key}`)} value={edit[key]} readOnly={!mayEdit} error={errorOf(key)} data-testid={`sku-${key}`} onChange={(event) => setEdit({ ...edit, [key]: event.currentTarget.value })} />
      ))}
      <NumberInput
        size="xs"
        label={t("catalog.fields.weight_g")}
        value={edit.weight_g ?? ""}
        hideControls
        readOnly={!mayEdit}
        error={errorOf("weight_g")}
        data-testid="sku-weight_g"
        onChange={(value) => setEdit({ ...edit, weight_g: value === "" ? null : Number(value) })}
      />
      <TextInput
        size="xs"
        label={t("catalog.fields.category")}
        list="category-paths"
        value={edit.category}
        readOnly={!mayEdit}
        error={errorOf("category")}
        data-testid="sku-category"
        onChange={(event) => setEdit({ ...edit, category: event.currentTarget.value })}
      />
      <datalist id="category-paths">
        {categories.map((category) => (
          <option key={category.id} value={category.path} />
        ))}
      </datalist>
      <Switch checked={edit.active} disabled={!mayEdit} label={t("catalog.fields.active")} onChange={(event) => setEdit({ ...edit, active: event.currentTarget.checked })} />
      <Textarea className={styles.wide} size="xs" label={t("catalog.fields.pack_text")} autosize minRows={2} readOnly={!mayEdit} value={edit.pack_text} onChange={(event) => setEdit({ ...edit, pack_text: event.currentTarget.value })} />
      {save.isError && errors.length === 0 && <p className="error">{problemText(save.error).detail}</p>}
      {mayEdit && (
        <Button type="submit" size="xs" className={styles.submit} loading={save.isPending} data-testid="sku-save">
          {t("common.save")}
        </Button>
      )}
    </form>
  );
}

function Pictures({ sku, mayEdit }: { sku: Sku; mayEdit: boolean }) {
  const { t } = useTranslation();
  const add = useAddPicture(sku.id);
  const remove = useRemovePicture(sku.id);
  const problemText = useProblemText();
  const failed = add.error ?? remove.error;
  return (
    <section>
      <h3>{t("catalog.pictures", { count: sku.pictures.length })}</h3>
      <div className={styles.pictures}>
        {sku.pictures.map((picture) => (
          <figure key={picture.id}>
            <a href={picture.display} target="_blank" rel="noreferrer">
              <img src={picture.thumb} alt={sku.name} />
            </a>
            {mayEdit && (
              <button type="button" aria-label={t("catalog.removePicture")} title={t("catalog.removePicture")} onClick={() => remove.mutate(picture.id)}>
                ×
              </button>
            )}
          </figure>
        ))}
        {sku.pictures.length === 0 && <p className="dim">{t("catalog.noPictures")}</p>}
      </div>
      {failed && <p className="error">{problemText(failed).detail}</p>}
      {mayEdit && <FilePicker label={t("catalog.addPicture")} accept="image/*" disabled={add.isPending} testId="sku-picture" onPick={([file]) => file && add.mutate(file)} />}
    </section>
  );
}

function Existing({ site, id, mayEdit, onOpen }: { site: number; id: number; mayEdit: boolean; onOpen: (id: number) => void }) {
  const { t } = useTranslation();
  const query = useSku(id);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      {query.data.merged_into !== null && (
        <p className="dispute">
          {t("catalog.wasMerged")}{" "}
          <button type="button" className={styles.code} onClick={() => onOpen(query.data.merged_into ?? 0)}>
            {t("catalog.openMerged")}
          </button>
        </p>
      )}
      <Form key={id} site={site} sku={query.data} mayEdit={mayEdit} onSaved={() => undefined} />
      <Pictures sku={query.data} mayEdit={mayEdit} />
      {mayEdit && query.data.active && <MergeSku key={`merge${id}`} site={site} sku={query.data} onMerged={onOpen} />}
    </>
  );
}

interface Props {
  site: number;
  /** 0 makes a new one */
  id: number | undefined;
  mayEdit: boolean;
  onOpen: (id: number) => void;
  onClose: () => void;
}

export function SkuDrawer({ site, id, mayEdit, onOpen, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Drawer opened={id !== undefined} onClose={onClose} position="right" size="lg" title={id === 0 ? t("catalog.newSku") : t("catalog.detail")} closeButtonProps={{ "aria-label": t("common.close") }}>
      {id === 0 && <Form site={site} sku={null} mayEdit onSaved={(sku) => onOpen(sku.id)} />}
      {id !== undefined && id > 0 && <Existing site={site} id={id} mayEdit={mayEdit} onOpen={onOpen} />}
    </Drawer>
  );
}
