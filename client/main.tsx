// The client's start: builds the app from what the browser offers and shows it.
import { render } from 'preact';
import { createApp } from './models/app.ts';
import { systemClock } from './models/clock.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/card.css';
import { AppProvider } from './ui/app-context.ts';
import { preloadPage, Shell } from './ui/shell.tsx';

const root = document.getElementById('app');
if (!root) throw new Error('the page has no place for the app');

const app = createApp(window, systemClock);
const route = app.router.route.peek();
const restored = app.session.restore();
// The edge places guests and members differently, so the ticket waits until it is known who watches.
if (route.page === 'watch') restored.then(() => app.headStart.begin(route.streamId));
preloadPage(route);
render(
  <AppProvider value={app}>
    <Shell />
  </AppProvider>,
  root,
);
