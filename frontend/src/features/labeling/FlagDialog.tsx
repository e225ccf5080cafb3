import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { FLAGS, NOTE_LENGTH, type Mark } from "./mark";
import styles from "./flow.module.css";

/** Who is to look again, and at what. */
export function FlagDialog({ mark, onMark, onClose }: { mark: Mark; onMark: (mark: Mark) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<Mark>(mark.flag ? mark : { ...mark, flag: "reviewer" });
  return (
    <Modal opened onClose={onClose} title={t("flow.flagTitle")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        className={styles.flagForm}
        onSubmit={(event) => {
          event.preventDefault();
          onMark({ ...edit, note: edit.note.trim() });
          onClose();
        }}
      >
        <fieldset>
          <legend className="visually-hidden">{t("flow.flagTitle")}</legend>
          {FLAGS.map((flag) => (
            <label key={flag}>
              <input type="radio" name="flag" checked={edit.flag === flag} onChange={() => setEdit({ ...edit, flag })} data-testid={`flag-for-${flag}`} />
              <span>
                {t(`flow.flagFor.${flag}`)}
                <span className="dim">{t(`flow.flagHint.${flag}`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <label className={styles.note}>
          {t("flow.note")}
          <textarea data-autofocus rows={3} maxLength={NOTE_LENGTH} value={edit.note} onChange={(event) => setEdit({ ...edit, note: event.target.value })} onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.currentTarget.form?.requestSubmit()} data-testid="flag-note" />
        </label>
        <div className={styles.row}>
          {mark.flag && (
            <Button
              variant="subtle"
              size="xs"
              onClick={() => {
                onMark({ flag: "", note: "" });
                onClose();
              }}
              data-testid="flag-off"
            >
              {t("flow.unflag")}
            </Button>
          )}
          <span className="spacer" />
          <Button size="xs" variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button size="xs" type="submit" data-testid="flag-save">
            {t("flow.flagSave")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
