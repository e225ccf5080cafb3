import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Sku } from "@/api/types";
import { postForm } from "@/api/upload";
import { skuQuery } from "./sku";

export function useAddPicture(skuId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append("file", file);
      return postForm<Sku>(`/api/v1/skus/${skuId}/pictures`, form);
    },
    onSuccess: (sku) => client.setQueryData(skuQuery(skuId).queryKey, sku),
  });
}

export function useRemovePicture(skuId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (picture: number) => call(api.DELETE("/api/v1/skus/{sku_id}/pictures/{picture_id}", { params: { path: { sku_id: skuId, picture_id: picture } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: skuQuery(skuId).queryKey }),
  });
}
