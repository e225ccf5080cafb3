import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Menu, MenuItem, MenuLabel } from "@/components/Menu";
import { useKeyLabel } from "@/lib/keymap";
import type { SkipReason } from "./desk";

export const SKIP_REASONS = ["unreadable", "not_goods", "several_goods", "duplicate", "other"] as const satisfies readonly SkipReason[];

interface Props {
  opened: boolean;
  onOpened: (opened: boolean) => void;
  onSkip: (reason: SkipReason) => void;
}

export function SkipMenu({ opened, onOpened, onSkip }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  return (
    <Menu
      opened={opened}
      onOpened={onOpened}
      side="top"
      trigger={(props) => (
        <Button {...props} variant="default" size="sm" data-testid="skip" rightSection={<kbd>{keyLabel("skip")}</kbd>}>
          {t("label.skip")}
        </Button>
      )}
    >
      {(close) => (
        <>
          <MenuLabel>{t("label.skipWhy")}</MenuLabel>
          {SKIP_REASONS.map((reason) => (
            <MenuItem
              key={reason}
              testId={`skip-reason-${reason}`}
              onChoose={() => {
                close();
                onSkip(reason);
              }}
            >
              {t(`skipReason.${reason}`)}
            </MenuItem>
          ))}
        </>
      )}
    </Menu>
  );
}
