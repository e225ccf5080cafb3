import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Category } from "@/api/types";
import { Choose } from "@/components/Choose";
import { useProblemText } from "@/components/states";
import { useChangeCategory } from "./category";
import styles from "./catalog.module.css";

interface Props {
  site: number;
  categories: readonly Category[];
  /** null makes a new one */
  category: Category | null;
  onClose: () => void;
}

/** Name and place of a category; or where its SKUs go when it is removed. */
export function CategoryDialog({ site, categories, category, onClose }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const change = useChangeCategory(site);
  const [name, setName] = useState(category?.name ?? "");
  const [parent, setParent] = useState(category?.parent ? String(category.parent) : undefined);
  const [into, setInto] = useState<string | undefined>();
  // nothing can hang below itself
  const places = categories.filter((one) => !category || (one.id !== category.id && !one.path.startsWith(`${category.path}/`))).map((one) => ({ value: String(one.id), label: one.path }));
  const id = (value: string | undefined) => (value === undefined ? null : Number(value));
  const options = { onSuccess: onClose };
  return (
    <Modal opened onClose={onClose} title={category ? category.path : t("catalog.newCategory")} size="md" closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        className={styles.categoryForm}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(category ? { do: "change", id: category.id, name, parent: id(parent) } : { do: "add", name, parent: id(parent) }, options);
        }}
      >
        <TextInput data-autofocus size="xs" label={t("catalog.fields.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} data-testid="category-name" />
        <label className={styles.select}>
          {t("catalog.parent")}
          <Choose label={t("catalog.parent")} none={t("catalog.root")} value={parent} options={places} onChange={setParent} testId="category-parent" />
        </label>
        <Button type="submit" size="xs" className={styles.submit} disabled={!name.trim()} loading={change.isPending} data-testid="category-save">
          {t("common.save")}
        </Button>
      </form>
      {category && (
        <div className={styles.importBar}>
          <Choose label={t("catalog.removeInto")} none={t("catalog.removeInto")} value={into} options={places} onChange={setInto} />
          <span className="spacer" />
          <Button size="xs" variant="default" onClick={() => change.mutate({ do: "remove", id: category.id, into: id(into) ?? undefined }, options)} data-testid="category-remove">
            {t("catalog.removeCategory")}
          </Button>
        </div>
      )}
      {change.isError && <p className="error">{problemText(change.error).detail}</p>}
    </Modal>
  );
}
