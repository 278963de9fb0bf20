import { html } from './html.ts';

/** Drawn, so that a state is told by its shape as well; each stands once on a page and is referred to. */
export const SPRITE = html`<svg class="sprite" aria-hidden="true" width="0" height="0"><defs>
<symbol id="i-gate" viewBox="0 0 24 24"><path d="M4 21V9a8 8 0 0 1 16 0v12" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"></path><path d="M9 21v-9M15 21v-9M4.5 14h15" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"></path></symbol>
<symbol id="i-current" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="currentColor"></circle><path d="M4.8 8.2l2.2 2.2 4.2-4.6" fill="none" class="ground" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"></path></symbol>
<symbol id="i-behind" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"></circle><path d="M8 1.8a6.2 6.2 0 0 0 0 12.4z" fill="currentColor"></path></symbol>
<symbol id="i-overdue" viewBox="0 0 16 16"><path d="M8 1.2L15.2 14.2H.8z" fill="currentColor"></path><path d="M8 5.8v4M8 11.9v.1" class="ground" stroke-width="1.7" stroke-linecap="round"></path></symbol>
<symbol id="i-never" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.3"></circle></symbol>
<symbol id="i-refused" viewBox="0 0 16 16"><path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z" fill="currentColor"></path><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" class="ground" stroke-width="1.7" stroke-linecap="round"></path></symbol>
<symbol id="i-plain" viewBox="0 0 16 16"><rect x="4" y="4" width="8" height="8" rx="1.5" fill="currentColor"></rect></symbol>
</defs></svg>`;

export type IconName = 'current' | 'behind' | 'overdue' | 'never' | 'refused' | 'plain';
