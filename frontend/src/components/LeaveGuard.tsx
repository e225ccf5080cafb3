import { Button, Modal } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

/** Asks before unsaved changes are left behind, by a link, the back button or closing the window. */
export function LeaveGuard({ dirty }: { dirty: boolean }) {
  const { t } = useTranslation();
  const blocker = useBlocker({ shouldBlockFn: () => dirty, enableBeforeUnload: () => dirty, withResolver: true });
  if (blocker.status !== "blocked") return null;
  return (
    <Modal opened onClose={blocker.reset} title={t("leave.title")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <p style={{ marginTop: 0 }}>{t("leave.text")}</p>
      <div style={{ display: "flex", gap: 8, justifyContent: "flex-end" }}>
        <Button size="xs" variant="default" onClick={blocker.proceed} data-testid="leave-discard">
          {t("leave.discard")}
        </Button>
        <Button size="xs" onClick={blocker.reset} data-autofocus data-testid="leave-stay">
          {t("leave.stay")}
        </Button>
      </div>
    </Modal>
  );
}
