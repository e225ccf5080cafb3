import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Project } from "@/api/types";
import { useProblemText } from "@/components/states";
import { useNewProject } from "@/features/projects/siteProjects";
import styles from "./editor.module.css";

interface Props {
  site: number;
  /** the project to copy; null for a new one */
  origin: Project | null;
  onDone: (project: Project) => void;
  onClose: () => void;
}

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);

/** Name and identifier of a project that is about to be. */
export function NamingDialog({ site, origin, onDone, onClose }: Props) {
  const { t } = useTranslation();
  const make = useNewProject(site, origin?.id ?? null);
  const problemText = useProblemText();
  const [name, setName] = useState(origin ? t("projects.copyName", { name: origin.name }) : "");
  const [slug, setSlug] = useState(origin ? `${origin.slug}-2`.slice(0, 63) : "");
  const [typed, setTyped] = useState(origin !== null);
  const errors = make.isError ? asProblem(make.error).errors : [];
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message;
  return (
    <Modal opened onClose={onClose} title={origin ? t("projects.cloneOf", { name: origin.name }) : t("projects.new")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        className={styles.column}
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate({ name: name.trim(), slug }, { onSuccess: onDone });
        }}
      >
        {origin && <p className="dim">{t("projects.cloneHint")}</p>}
        <TextInput
          size="xs"
          label={t("projects.name")}
          value={name}
          data-autofocus
          maxLength={128}
          error={errorOf("name")}
          data-testid="new-project-name"
          onChange={(event) => {
            setName(event.currentTarget.value);
            if (!typed) setSlug(slugOf(event.currentTarget.value));
          }}
        />
        <TextInput
          size="xs"
          label={t("projects.slug")}
          description={t("projects.slugHint")}
          value={slug}
          maxLength={63}
          error={errorOf("slug")}
          data-testid="new-project-slug"
          onChange={(event) => {
            setTyped(true);
            setSlug(event.currentTarget.value);
          }}
        />
        {make.isError && errors.length === 0 && <p className="error">{problemText(make.error).detail}</p>}
        <Button type="submit" size="xs" className={styles.start} disabled={!name.trim() || !slug} loading={make.isPending} data-testid="new-project-make">
          {origin ? t("projects.clone") : t("projects.make")}
        </Button>
      </form>
    </Modal>
  );
}
