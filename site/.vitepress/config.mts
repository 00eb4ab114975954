import { defineConfig } from "vitepress";
import { githubAnchor } from "../check-links.mjs";
import { apiSidebar, GROUPS } from "../contents.mjs";

export default defineConfig({
  title: "zwire",
  description: "Brokerless messaging for Node.js: ZeroMQ's patterns over tcp, ipc and inproc",
  lang: "en",
  srcDir: "pages",
  outDir: "out",
  cleanUrls: false,
  // Copies of files of the project, which public/ holds: build.mjs checks these links in the built pages.
  ignoreDeadLinks: [/^\/files\//],
  markdown: { anchor: { slugify: githubAnchor } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Guide", link: "/guide" },
      { text: "Patterns", link: "/patterns" },
      { text: "Options", link: "/options" },
      { text: "API", link: "/api/" },
    ],
    sidebar: {
      "/api/": [{ text: "Documents", link: "/guide" }, ...apiSidebar()],
      "/": [
        ...GROUPS.map(([text, pages]) => ({
          text,
          items: pages.map(([title, page]) => ({ text: title, link: `/${page}` })),
        })),
        { text: "API", link: "/api/" },
      ],
    },
  },
});
