import { commonHeaders } from "./client";
import { Problem } from "./problem";

/** POST of a form with progress, which fetch cannot report. */
export function postForm<T>(url: string, form: FormData, onProgress?: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    for (const [name, value] of Object.entries(commonHeaders("POST"))) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress?.(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as T);
      else reject(new Problem(request.status, (request.response ?? {}) as Record<string, unknown>));
    };
    request.onerror = () => reject(new Problem(0, { code: "network" }));
    request.send(form);
  });
}
