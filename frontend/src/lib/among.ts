/** The value if it is one of the choices: what an address says is not to be trusted. */
export const among = <T extends string>(choices: readonly T[], value: string | undefined): T | undefined => choices.find((one) => one === value);
