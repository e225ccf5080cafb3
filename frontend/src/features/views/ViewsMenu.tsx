import { Button, Modal, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { writeColumns } from "@/components/list/columns";
import { Menu, MenuItem, MenuLabel } from "@/components/Menu";
import { useProblemText } from "@/components/states";
import { useChangeViews, useViews, type ViewedPage } from "./views";
import styles from "./views.module.css";

interface Props {
  site: number;
  page: ViewedPage;
  /** the page's filters as they stand in the address */
  query: Record<string, unknown>;
  /** the columns in sight, which a saved view remembers */
  columns?: readonly { key: string; fixed?: boolean }[];
  onChoose: (query: Record<string, unknown>) => void;
}

const same = (a: Record<string, unknown>, b: Record<string, unknown>) => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** Filters under a name: choose one, keep the present ones, forget one's own. */
export function ViewsMenu({ site, page, query, columns, onChoose }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const views = useViews(site, page).data ?? [];
  const { save, forget } = useChangeViews(site, page);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const kept = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const current = views.find((view) => same(view.query, kept));
  return (
    <>
      <Menu
        align="end"
        trigger={(props) => (
          <button {...props} type="button" className={styles.trigger} data-testid="views">
            {current?.name ?? t("views.title")} ▾
          </button>
        )}
      >
        {(close) => (
          <>
            {views.length === 0 && <MenuLabel>{t("views.empty")}</MenuLabel>}
            {views.map((view) => (
              <div key={view.id} className={styles.row}>
                <MenuItem
                  strong={view.id === current?.id}
                  testId={`view-${view.id}`}
                  onChoose={() => {
                    close();
                    onChoose(view.query);
                  }}
                >
                  {view.name}
                  {view.shared && <span className="dim"> · {t("views.shared")}</span>}
                </MenuItem>
                {view.mine && (
                  <button type="button" className={styles.forget} aria-label={t("views.forget", { name: view.name })} onClick={() => forget.mutate(view.id)}>
                    ×
                  </button>
                )}
              </div>
            ))}
            {(Object.keys(kept).length > 0 || columns) && !current && (
              <MenuItem
                testId="view-save"
                onChoose={() => {
                  close();
                  setNaming(true);
                }}
              >
                {t("views.save")} …
              </MenuItem>
            )}
          </>
        )}
      </Menu>
      <Modal opened={naming} onClose={() => setNaming(false)} title={t("views.save")} size="sm">
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            const whole = columns ? { ...kept, cols: writeColumns(columns.filter((column) => !column.fixed).map((column) => column.key)) } : kept;
            save.mutate(
              { name: name.trim(), query: whole, shared },
              {
                onSuccess: () => {
                  setNaming(false);
                  onChoose(whole);
                },
              },
            );
          }}
        >
          <TextInput data-autofocus label={t("views.name")} value={name} maxLength={64} onChange={(event) => setName(event.currentTarget.value)} error={save.isError ? problemText(save.error).detail : undefined} data-testid="view-name" />
          <Switch label={t("views.share")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
          <Button type="submit" disabled={!name.trim()} loading={save.isPending} data-testid="view-keep">
            {t("common.save")}
          </Button>
        </form>
      </Modal>
    </>
  );
}
