import { useTranslation } from "react-i18next";
import { useOnline } from "@/lib/online";
import styles from "./Shell.module.css";

export function NetworkLight() {
  const { t } = useTranslation();
  const online = useOnline();
  return (
    <span className={styles.light} data-offline={online ? undefined : true} data-testid="network" aria-label={t(online ? "network.online" : "network.offline")}>
      {t(online ? "network.short" : "network.offline")}
    </span>
  );
}
