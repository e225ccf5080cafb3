import { expect, it } from "vitest";
import { addressesIn } from "./sources";

it("finds the addresses in what was pasted, each once", () => {
  expect(addressesIn(" http://a/1.jpg\r\nhttp://a/2.jpg  http://a/1.jpg\n\n")).toEqual(["http://a/1.jpg", "http://a/2.jpg"]);
  expect(addressesIn(" \n ")).toEqual([]);
});
