import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCategories } from "@/api/categories";
import { ComboInput } from "./ComboInput";
import styles from "./fields.module.css";

interface Props {
  site: number;
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  label: string;
  invalid?: boolean;
  machine?: boolean;
  doubted?: boolean;
  testId?: string;
}

export function CategoryInput({ site, value, onChange, ...rest }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string | null>(null);
  const categories = useCategories(site).data?.results ?? [];
  const wanted = (typed ?? "").trim().toLowerCase();
  const hits = categories.filter((category) => [category.path.toLowerCase(), category.pinyin, category.initials].some((key) => key.includes(wanted))).slice(0, 10);
  return (
    <ComboInput
      {...rest}
      value={value}
      placeholder={t("field.categoryPlaceholder")}
      onChange={(next) => {
        setTyped(next);
        onChange(next);
      }}
      options={hits.map((category) => ({
        key: String(category.id),
        value: category.name,
        content: (
          <>
            <span className={styles.optionText}>{category.name}</span>
            <span className="dim">{category.path}</span>
          </>
        ),
      }))}
      onPick={(option) => {
        onChange(option.value);
        setTyped(null);
      }}
    />
  );
}
