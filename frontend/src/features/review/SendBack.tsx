import { Button, Modal, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useProblemText } from "@/components/states";
import { isComposing } from "@/lib/hotkeys";
import styles from "./review.module.css";

interface Props {
  note: string;
  error: unknown;
  busy: boolean;
  onSend: (note: string) => void;
  onClose: () => void;
}

/** What the annotators are told when they are to look again; it is kept when sending fails. */
export function SendBack({ note: begun, error, busy, onSend, onClose }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const [note, setNote] = useState(begun);
  const send = () => note.trim() && !busy && onSend(note.trim());
  return (
    <Modal opened onClose={onClose} title={t("review.sendBack")} size="md">
      <form
        className={styles.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <p className="dim">{t("review.sendBackHint")}</p>
        <Textarea
          data-autofocus
          label={t("review.sendBackNote")}
          autosize
          minRows={3}
          maxLength={4000}
          value={note}
          data-testid="send-back-note"
          error={error ? problemText(error).detail : undefined}
          onChange={(event) => setNote(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || isComposing(event.nativeEvent)) return;
            event.preventDefault();
            send();
          }}
        />
        <Button type="submit" disabled={!note.trim()} loading={busy} data-testid="send-back-send" rightSection={<kbd className={styles.onAccent}>Ctrl ⏎</kbd>}>
          {t("review.sendBackSend")}
        </Button>
      </form>
    </Modal>
  );
}
