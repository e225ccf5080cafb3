import { Modal } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSavePreferences } from "@/features/session/preferences";
import { useMe } from "@/features/session/session";
import { chord, isComposing } from "@/lib/hotkeys";
import { ACTIONS, ACTION_IDS, chordLabel, conflictOf, keysLabel, keysOf, readOwnKeys, refusalOf, setOwnKeys, useOwnKeys, type ActionId, type OwnKeys } from "@/lib/keymap";
import styles from "./help.module.css";

const GROUPS = ["work", "caption", "boxes", "view"] as const;
const LONE = new Set(["Control", "Shift", "Alt", "Meta", "CapsLock", "AltGraph"]);

type Trouble = { kind: "refused"; why: string } | { kind: "conflict"; key: string; other: ActionId };

/** All keys; each but the rows can be changed by pressing another, and is kept on the account. */
export function ShortcutHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const own = useOwnKeys();
  const save = useSavePreferences();
  const [asking, setAsking] = useState<ActionId | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const keep = (next: OwnKeys) => {
    setOwnKeys(next);
    setAsking(null);
    setTrouble(null);
    save.mutate({ shortcuts: next }, { onError: () => setOwnKeys(readOwnKeys(me.shortcuts)) });
  };
  const ask = (id: ActionId | null) => {
    setAsking(id);
    setTrouble(null);
  };
  const isOwn = (id: ActionId) => own[id] !== undefined;
  const withKey = (id: ActionId, key: string): OwnKeys => {
    const rest = Object.fromEntries(Object.entries(own).filter(([other]) => other !== id)) as OwnKeys;
    return ACTIONS[id].keys[0] === key ? rest : { ...rest, [id]: key };
  };

  useEffect(() => {
    if (!asking) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (isComposing(event) || LONE.has(event.key)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const key = chord(event);
      const refusal = refusalOf(asking, key);
      const other = conflictOf(own, asking, key);
      if (key === "escape") ask(null);
      else if (refusal) setTrouble({ kind: "refused", why: t(`keys.refused.${refusal}`, { key: chordLabel(key) }) });
      else if (other) setTrouble({ kind: "conflict", key, other });
      else keep(withKey(asking, key));
    };
    window.addEventListener("keydown", onKeyDown, true);
    return () => window.removeEventListener("keydown", onKeyDown, true);
  });

  /** The other action takes the key that this one gives up. */
  const swap = (id: ActionId, key: string, other: ActionId) => {
    const given = keysOf(own, id)[0] ?? "";
    keep({ ...withKey(id, key), [other]: given });
  };

  return (
    <Modal opened={opened} onClose={onClose} title={t("help.title")} size="min(1180px, 96vw)" closeOnEscape={asking === null}>
      <p className="dim">{t("keys.hint")}</p>
      <div className={styles.groups} data-testid="shortcuts">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{t(`keys.group.${group}`)}</h3>
            <dl>
              {ACTION_IDS.filter((id) => ACTIONS[id].group === group).map((id) => (
                <div key={id} data-own={isOwn(id) || undefined}>
                  <dt>{t(`keys.action.${id}`)}</dt>
                  <dd>
                    {ACTIONS[id].fixed ? (
                      <kbd>{keysLabel(own, id)}</kbd>
                    ) : (
                      <button type="button" aria-pressed={asking === id} data-testid={`key-${id}`} onClick={() => ask(asking === id ? null : id)}>
                        <kbd>{asking === id ? t("keys.press") : keysLabel(own, id)}</kbd>
                      </button>
                    )}
                  </dd>
                  {asking === id && trouble && (
                    <p role="alert" className="dispute" data-testid="key-trouble">
                      {trouble.kind === "refused" ? trouble.why : t("keys.conflict", { key: chordLabel(trouble.key), other: t(`keys.action.${trouble.other}`) })}{" "}
                      {trouble.kind === "conflict" && canSwap(own, id, trouble.other) && (
                        <button type="button" className={styles.plain} data-testid="key-swap" onClick={() => swap(id, trouble.key, trouble.other)}>
                          {t("keys.swap")}
                        </button>
                      )}
                    </p>
                  )}
                </div>
              ))}
              {group === "view" && (
                <div>
                  <dt>{t("keys.action.hold")}</dt>
                  <dd>
                    <kbd>Space</kbd>
                  </dd>
                </div>
              )}
            </dl>
          </section>
        ))}
      </div>
      <p className={styles.foot}>
        {save.isError && <span className="error">{t("keys.notSaved")}</span>}
        <button type="button" className={styles.plain} disabled={Object.keys(own).length === 0} data-testid="keys-reset" onClick={() => keep({})}>
          {t("keys.reset")}
        </button>
      </p>
    </Modal>
  );
}

const canSwap = (own: OwnKeys, id: ActionId, other: ActionId): boolean => {
  const given = keysOf(own, id)[0];
  return !ACTIONS[other].fixed && given !== undefined && refusalOf(other, given) === null;
};
