import { createTheme, mergeThemeOverrides, type MantineColorsTuple } from "@mantine/core";

const cobalt: MantineColorsTuple = ["#eaf1fd", "#d3e1f9", "#a9c4f3", "#7da6ee", "#5a8ee9", "#4480e6", "#3778e5", "#2a67cc", "#1d5fc4", "#0d4fa0"];

/** Mantine's greys, in step with tokens.css */
const dark: MantineColorsTuple = ["#e6e9eb", "#c3c9ce", "#a3adb5", "#7d878f", "#3d444a", "#262b30", "#1e2327", "#1a1e21", "#15181b", "#121517"];

const theme = createTheme({
  fontFamily: '"PingFang SC", "Microsoft YaHei", "Noto Sans SC", "Hiragino Sans", "Noto Sans CJK SC", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono CJK SC", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "18px" },
  colors: { cobalt, dark },
  primaryColor: "cobalt",
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 4,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Menu: { defaultProps: { transitionProps: { duration: 0 } } },
    Tooltip: { defaultProps: { openDelay: 400, transitionProps: { duration: 0 } } },
  },
});

/** The theme with the one word that Mantine's dialogs say themselves. */
export const themeSaying = (close: string) =>
  mergeThemeOverrides(theme, {
    components: {
      Modal: { defaultProps: { transitionProps: { duration: 90 }, closeButtonProps: { "aria-label": close } } },
      Drawer: { defaultProps: { transitionProps: { duration: 90 }, closeButtonProps: { "aria-label": close } } },
    },
  });
