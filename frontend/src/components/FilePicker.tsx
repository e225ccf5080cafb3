import { Button } from "@mantine/core";
import { useRef } from "react";

interface Props {
  label: string;
  accept: string;
  onPick: (files: File[]) => void;
  multiple?: boolean;
  /** Chooses a folder with all that is in it. */
  folder?: boolean;
  disabled?: boolean;
  testId?: string;
}

/** A file input in the page's own words: the browser's speaks the system's language. */
export function FilePicker({ label, accept, onPick, multiple = false, folder = false, disabled = false, testId }: Props) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button size="xs" variant="default" disabled={disabled} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={multiple}
        {...(folder ? { webkitdirectory: "" } : {})}
        disabled={disabled}
        className="visually-hidden"
        tabIndex={-1}
        aria-label={label}
        data-testid={testId}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // the same file may be chosen again after it was mended
          event.target.value = "";
          if (files.length) onPick(files);
        }}
      />
    </>
  );
}
