import { Button, Textarea } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { postForm } from "@/api/upload";
import { FilePicker } from "@/components/FilePicker";
import { LeaveGuard } from "@/components/LeaveGuard";
import { Markdown } from "@/components/Markdown";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useSaveProject } from "@/features/projects/saveProject";
import { useHotkeys } from "@/lib/hotkeys";
import styles from "./editor.module.css";

/** The instructions in Markdown, with pictures by button, paste or drop, beside how they will look. */
export function GuideTab({ project }: { project: Project }) {
  const { t } = useTranslation();
  const save = useSaveProject(project.id);
  const problemText = useProblemText();
  const [text, setText] = useState(project.guide);
  const [sending, setSending] = useState(0);
  const area = useRef<HTMLTextAreaElement>(null);
  const dirty = text !== project.guide;
  const store = () => {
    if (dirty) save.mutate({ guide: text, version: project.version }, { onSuccess: () => notify({ tone: "agree", text: t("guide.saved") }) });
  };
  useHotkeys({ "mod+s": { run: store, inText: true } });

  const addPictures = async (files: readonly File[]) => {
    for (const file of files) {
      setSending((before) => before + 1);
      try {
        const form = new FormData();
        form.append("file", file);
        const { url } = await postForm<{ url: string }>(`/api/v1/projects/${project.id}/guide/pictures`, form);
        const mark = `![${file.name.replace(/\.\w+$/, "").replace(/[[\]]/g, "")}](${url})`;
        const at = area.current?.selectionStart;
        setText((before) => {
          const place = at ?? before.length;
          const lead = place > 0 && before[place - 1] !== "\n" ? "\n\n" : "";
          return `${before.slice(0, place)}${lead}${mark}\n${before.slice(place)}`;
        });
      } catch (error) {
        notify({ tone: "error", text: file.name, detail: problemText(error).detail });
      } finally {
        setSending((before) => before - 1);
      }
    }
  };
  const picturesOf = (data: DataTransfer) => [...data.files].filter((file) => file.type.startsWith("image/"));

  return (
    <div className={`panel ${styles.halves ?? ""}`}>
      <LeaveGuard dirty={dirty} />
      <section className={styles.half}>
        <div className={styles.actions}>
          <FilePicker label={t("guide.addPicture")} accept="image/*" multiple disabled={sending > 0} testId="guide-picture" onPick={(files) => void addPictures(files)} />
          <span className="dim">{sending > 0 ? t("guide.sending") : t("guide.hint")}</span>
        </div>
        <Textarea
          ref={area}
          size="sm"
          autosize
          minRows={18}
          maxRows={32}
          maxLength={20_000}
          aria-label={t("guide.title")}
          value={text}
          data-testid="guide-text"
          onChange={(event) => setText(event.currentTarget.value)}
          onPaste={(event) => {
            const files = picturesOf(event.clipboardData);
            if (files.length === 0) return;
            event.preventDefault();
            void addPictures(files);
          }}
          onDrop={(event) => {
            const files = picturesOf(event.dataTransfer);
            if (files.length === 0) return;
            event.preventDefault();
            void addPictures(files);
          }}
        />
        {save.isError && <p className="error">{problemText(save.error).detail}</p>}
        <div className={styles.actions}>
          <Button size="xs" disabled={!dirty} loading={save.isPending} onClick={store} data-testid="guide-save">
            {t("common.save")}
          </Button>
          {dirty && <span className="dim">{t("guide.willMark")}</span>}
        </div>
      </section>
      <section className={styles.half} aria-label={t("projects.preview")}>
        <h2 className={styles.caption}>{t("projects.preview")}</h2>
        {text.trim() ? <Markdown text={text} /> : <p className="dim">{t("guide.none")}</p>}
      </section>
    </div>
  );
}
