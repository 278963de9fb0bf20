import type { Answer } from '../respond.ts';
import type { Assets } from './assets.ts';
import { flag, type Html, html } from './html.ts';
import { SPRITE } from './icons.ts';

/** What every page has: the head, who looks at it, where else to look. */
export interface Frame {
  readonly assets: Assets;
  readonly title: string;
  /** The page that this is, of `links`. */
  readonly path?: string;
  readonly links: readonly Link[];
  /** Who is looking; undefined: nobody yet. */
  readonly who?: Who | undefined;
  /** The page is told when something has changed. */
  readonly isLive?: boolean;
  /** Where the browser should say that it is, after a form was sent. */
  readonly address?: string;
}

export interface Link {
  readonly path: '/ui' | '/ui/trust' | '/ui/revocations' | '/ui/plans' | '/ui/audit';
  readonly name: string;
}

export interface Who {
  readonly name: string;
  /** Signed in with a token: of the form to sign out. */
  readonly signOut: string | undefined;
}

/**
 * No code in the page, nothing from elsewhere, in nobody's frame. `same-origin`: with less of a referrer, browsers would not say
 * where a form was sent from.
 */
const HEADERS = Object.freeze({
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
});

export function htmlAnswer(
  status: number,
  page: Html,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly cookies?: readonly string[] } = {},
): Answer {
  return {
    status,
    body: page.text,
    contentType: 'text/html; charset=utf-8',
    headers: { ...more.headers, ...HEADERS },
    ...(more.cookies === undefined ? {} : { cookies: more.cookies }),
  };
}

export function renderPage(frame: Frame, main: Html): Html {
  const { assets, title, isLive = false, address = '' } = frame;
  const { style, script, icon } = assets.names;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Fluxgate</title>
<link rel="icon" href="/ui/assets/${icon}" type="image/svg+xml">
<link rel="stylesheet" href="/ui/assets/${style}">
<script src="/ui/assets/${script}" defer></script>
</head>
<body data-live="${isLive ? '/ui/events' : ''}" data-address="${address}">
<a class="skip" href="#main">Skip to the content</a>
${SPRITE}
<header class="top">
<a class="mark" href="/ui"><svg class="gate" aria-hidden="true"><use href="#i-gate"></use></svg>Fluxgate</a>
${navigation(frame)}
${frame.who === undefined ? undefined : whoIs(frame.who)}
</header>
<main id="main" tabindex="-1">
${main}
</main>
<footer class="foot"><p id="live" role="status" data-live-state="off">${isLive ? 'As of when this page was loaded.' : ''}</p></footer>
</body>
</html>
`;
}

function navigation({ links, path }: Frame): Html | undefined {
  if (links.length === 0) return undefined;
  return html`<nav aria-label="Status page"><ul>${links.map(
    (link) =>
      html`<li><a href="/ui${link.path.slice('/ui'.length)}"${flag('aria-current="page"', link.path === path)}>${link.name}</a></li>`,
  )}</ul></nav>`;
}

function whoIs({ name, signOut }: Who): Html {
  const form =
    signOut === undefined
      ? undefined
      : html`<form method="post" action="/ui/sign-out"><input type="hidden" name="form_token" value="${signOut}"><button class="quiet">Sign out</button></form>`;
  return html`<div class="who"><span class="who-name" title="${name}">${name}</span>${form}</div>`;
}
