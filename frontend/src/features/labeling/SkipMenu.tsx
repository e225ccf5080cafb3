import { Button, Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { SkipReason } from "./desk";

export const SKIP_REASONS = ["unreadable", "not_goods", "several_goods", "duplicate", "other"]  as const satisfies readonly SkipReason[];

interface Props {
  opened: boolean;
  onOpened: (opened: boolean) => void;
  onSkip: (reason: SkipReason) => void;
}

export function SkipMenu({ opened, onOpened, onSkip }: Props) {
  const { t } = useTranslation();
  return (
    <Menu opened={opened} onChange={onOpened} position="top-start" returnFocus>
      <Menu.Target>
        <Button variant="default" size="sm" data-testid="skip" title="Alt+S">
          {t("label.skip")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("label.skipWhy")}</Menu.Label>
        {SKIP_REASONS.map((reason) => (
          <Menu.Item key={reason} onClick={() => onSkip(reason)} data-testid={`skip-reason-${reason}`}>
            {t(`skipReason.${reason}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
