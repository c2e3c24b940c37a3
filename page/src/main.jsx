// The page: its frame, and which of its parts an address shows.

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Chat } from './chat/chat.jsx';
import { useRoute } from './shared/router.js';
import { ThemeButton } from './shared/theme.jsx';
import { Notice } from './shared/ui.jsx';

/** The explorer is loaded when it is opened: it is most of the page. */
function Explorer({ route }) {
  const [Loaded, setLoaded] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    import('./explorer/explorer.jsx').then((module) => setLoaded(() => module.Explorer), setError);
  }, []);
  if (error) return <Notice kind="bad">The explorer cannot be loaded: {error.message}</Notice>;
  return Loaded ? <Loaded route={route} /> : <p class="quiet pad" role="status">Loading the explorer…</p>;
}

function Page() {
  const route = useRoute();
  const isChat = route[0] === 'chat' || route.length === 0;
  useEffect(() => {
    document.title = isChat ? 'Noema: chat' : 'Noema: explorer';
  }, [isChat]);
  const focusMain = (event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  };
  return (
    <div class={`frame ${isChat ? 'is-chat' : ''}`}>
      <a class="skip" href="#main" onClick={focusMain}>Skip to the content</a>
      <header class="top">
        <span class="brand">Noema</span>
        <nav aria-label="Parts of the page">
          <a href="#/chat" aria-current={isChat ? 'page' : undefined}>Chat</a>
          <a href="#/overview" aria-current={isChat ? undefined : 'page'}>Explorer</a>
        </nav>
        <ThemeButton />
      </header>
      {isChat ? <Chat id={route[1]} /> : <Explorer route={route} />}
    </div>
  );
}

render(<Page />, document.getElementById('page'));
