// Makes the page a little livelier; everything works without it. Nothing here puts text into markup: what is shown comes from the gateway as
// a whole page, of which parts are taken.

const live = document.getElementById('live');
const source = document.body.dataset.live ?? '';
const address = document.body.dataset.address ?? '';

// After a form was sent the address is that of the form: a reload should show the page, and not send it again.
if (address !== '' && address !== location.pathname) history.replaceState(null, '', address);

document.documentElement.classList.add('scripted');

for (const select of document.querySelectorAll('form.filters select')) {
  select.addEventListener('change', () => select.form?.requestSubmit());
}

if (source !== '' && live !== null && 'EventSource' in window) follow(source, live);

/**
 * @param {string} url
 * @param {HTMLElement} status
 */
function follow(url, status) {
  const waitMs = 3000;
  /** @type {EventSource | undefined} */
  let events;
  let isWaiting = false;
  let isStale = false;

  const say = (/** @type {string} */ state, /** @type {string} */ text) => {
    if (status.dataset.liveState === state && state !== 'on') return;
    status.dataset.liveState = state;
    status.textContent = text;
  };
  const clock = () =>
    new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });

  const renew = async () => {
    if (document.hidden || String(getSelection()) !== '') {
      isStale = true;
      return;
    }
    isStale = false;
    try {
      const answer = await fetch(location.href, {
        headers: { accept: 'text/html' },
        credentials: 'same-origin',
      });
      if (answer.status === 401) return stop('You are signed out. Reload the page to sign in.');
      if (!answer.ok) return say('off', 'The gateway does not answer this page now.');
      take(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      say('on', `Live. Shown as of ${clock()}.`);
    } catch {
      say('off', 'The gateway cannot be reached. Shown is what it last said.');
    }
  };
  const renewSoon = () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      void renew();
    }, waitMs);
  };
  const stop = (/** @type {string} */ text) => {
    events?.close();
    events = undefined;
    say('off', text);
  };
  const start = () => {
    events = new EventSource(url);
    events.addEventListener('open', () => say('on', `Live. Shown as of ${clock()}.`));
    events.addEventListener('changed', renewSoon);
    events.addEventListener('error', () => {
      // Refused for good: the browser does not come again by itself.
      if (events?.readyState === EventSource.CLOSED) void renew().then(() => stopIfOn());
      else say('off', 'Live updates stopped; trying again.');
    });
  };
  const stopIfOn = () => {
    if (events?.readyState === EventSource.CLOSED) stop('Not live: reload to see what is new.');
  };
  // Browsers open six connections to one host: a page that nobody looks at holds none.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      events?.close();
      events = undefined;
    } else {
      start();
      void renew();
    }
  });
  document.addEventListener('selectionchange', () => {
    if (isStale && String(getSelection()) === '') renewSoon();
  });
  if (!document.hidden) start();
}

/**
 * The regions of a newer copy of this very page, with what was opened left open.
 * @param {Document} newer
 */
function take(newer) {
  for (const region of document.querySelectorAll('[data-region]')) {
    // Whoever is on the way through it with the keyboard is not thrown out.
    if (region.contains(document.activeElement)) continue;
    const name = region.getAttribute('data-region') ?? '';
    const fresh = newer.querySelector(`[data-region="${CSS.escape(name)}"]`);
    if (fresh === null || fresh.innerHTML === region.innerHTML) continue;
    const open = [...region.querySelectorAll('details')].map((one) => one.open);
    const adopted = document.importNode(fresh, true);
    [...adopted.querySelectorAll('details')].forEach((one, index) => {
      one.open = open[index] ?? false;
    });
    region.replaceWith(adopted);
  }
}
