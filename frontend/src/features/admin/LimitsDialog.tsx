import { Button, Input, Modal, TreeSelect } from "@mantine/core";
import "@mantine/core/styles/Popover.css";
import "@mantine/core/styles/Combobox.css";
import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";
import "@mantine/core/styles/Checkbox.css";
import "@mantine/core/styles/CheckboxIndicator.css";
import "@mantine/core/styles/TreeSelect.css";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Category, Limits, Member } from "@/api/types";
import { useProblemText } from "@/components/states";
import { LANGUAGES, LANGUAGE_NAMES, toServer } from "@/lib/i18n";
import { categoryTree } from "./categoryTree";
import { useLimitMember } from "./members";
import styles from "./admin.module.css";

interface Props {
  site: number;
  member: Member;
  limits: Limits;
  categories: readonly Category[];
  onClose: () => void;
}

/** Which categories and languages a person is handed. A category stands for all below it. */
export function LimitsDialog({ site, member, limits, categories, onClose }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const save = useLimitMember(site);
  const tree = useMemo(() => categoryTree(categories), [categories]);
  // what has been removed from the catalog meanwhile is dropped
  const [chosen, setChosen] = useState(() => limits.categories.filter((id) => categories.some((one) => one.id === id)).map(String));
  const [languages, setLanguages] = useState(limits.languages);
  return (
    <Modal opened onClose={onClose} title={t("members.limitsOf", { name: member.user.display_name })} size="lg" closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        className={styles.limitsForm}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ id: member.user.id, categories: chosen.map(Number), languages }, { onSuccess: onClose });
        }}
      >
        <p className="dim">{t("members.limitsHint")}</p>
        <Input.Wrapper size="xs" label={t("members.limitLanguages")} labelElement="div">
          <span className={styles.roles} role="group" aria-label={t("members.limitLanguages")}>
            {LANGUAGES.map((language) => {
              const value = toServer(language);
              const on = languages.includes(value);
              return (
                <button key={value} type="button" lang={language} aria-pressed={on} data-testid={`limits-${value}`} onClick={() => setLanguages(on ? languages.filter((one) => one !== value) : [...languages, value])}>
                  {LANGUAGE_NAMES[language]}
                </button>
              );
            })}
          </span>
        </Input.Wrapper>
        <TreeSelect
          mode="checkbox"
          checkStrictly // a category is not the sum of those below it
          searchable
          clearable
          size="xs"
          label={t("members.limitCategories")}
          placeholder={chosen.length === 0 ? t("members.limitSearch") : undefined}
          nothingFoundMessage={t("members.limitNone")}
          chevronAriaLabels={{ expand: t("members.expand"), collapse: t("members.collapse") }}
          clearButtonProps={{ "aria-label": t("members.limitsClear") }}
          maxDropdownHeight={320}
          clearSearchOnChange={false}
          data={tree}
          value={chosen}
          onChange={setChosen}
          data-testid="limits-categories"
        />
        {save.isError && <p className="error">{problemText(save.error).detail}</p>}
        <Button type="submit" size="xs" className={styles.start} loading={save.isPending} data-testid="limits-save">
          {t("common.save")}
        </Button>
      </form>
    </Modal>
  );
}
