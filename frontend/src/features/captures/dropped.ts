/** Files of a drop or of a chosen folder, with their folders in their names. */
import type { Picked } from "./upload";

const hidden = (name: string) => name.startsWith(".") || name === "Thumbs.db" || name === "desktop.ini";

export function pickedFiles(files: readonly File[]): Picked[] {
  return files.filter((file) => !hidden(file.name)).map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/** Reads dropped folders through and through. Must be called in the drop event itself: the items live no longer. */
export async function droppedFiles(transfer: DataTransfer): Promise<Picked[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return pickedFiles([...transfer.files]);
  const found: Picked[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Picked[]): Promise<void> {
  if (hidden(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // a folder gives its entries a hundred at a time, until it gives none
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await walk(one, found);
  }
}
