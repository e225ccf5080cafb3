import { Button, Modal, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Menu } from "@/components/Menu";
import { useProblemText } from "@/components/states";
import { addressesIn, useSources, useTakeIn } from "./sources";
import type { Destination } from "./upload";
import styles from "./captures.module.css";

/** Other ways in than files: web addresses, and the S3 prefixes that the operator named. */
export function SourceButtons({ to, onJob }: { to: Destination; onJob: (job: number) => void }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const names = useSources(to.site).data ?? [];
  const urls = addressesIn(text);
  const takeIn = useTakeIn(to, (job) => {
    onJob(job);
    setOpen(false);
    setText("");
  });
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpen(true)} data-testid="upload-urls">
        {t("captures.urls")}
      </Button>
      {names.length > 0 && (
        <Menu
          trigger={(props) => (
            <Button {...props} size="xs" variant="default" loading={takeIn.isPending && !open} data-testid="upload-sources">
              {t("captures.sources")}
            </Button>
          )}
        >
          {(close) =>
            names.map(({ name }) => (
              <button
                key={name}
                type="button"
                className={styles.source}
                onClick={() => {
                  close();
                  takeIn.mutate({ source: name });
                }}
              >
                {name}
              </button>
            ))
          }
        </Menu>
      )}
      {takeIn.isError && !open && (
        <span className="error" role="alert">
          {problem(takeIn.error).detail}
        </span>
      )}
      <Modal opened={open} onClose={() => setOpen(false)} title={t("captures.urls")} size="lg" closeButtonProps={{ "aria-label": t("common.close") }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            takeIn.mutate({ urls });
          }}
        >
          <Textarea label={t("captures.urlsHint")} value={text} onChange={(event) => setText(event.currentTarget.value)} autosize minRows={8} maxRows={18} data-autofocus data-testid="urls-text" styles={{ input: { fontFamily: "monospace", fontSize: 12 } }} />
          {takeIn.isError && (
            <p className="error" role="alert">
              {problem(takeIn.error).detail}
            </p>
          )}
          <div className={styles.dialogFoot}>
            <Button type="submit" size="xs" disabled={urls.length === 0} loading={takeIn.isPending} data-testid="urls-start">
              {t("captures.urlsStart", { count: urls.length })}
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}
