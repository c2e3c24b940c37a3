// The text of a model as elements of the page.
//
// A library reads Markdown into a tree, and each node of the tree becomes an element that is named here. There is no
// HTML in between: tags that a model writes are shown as they are written. Images are not loaded, since that would be
// a request to a stranger; they become links.

import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { useMemo } from 'preact/hooks';

import { Copy } from './ui.jsx';

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };
const SCHEMES = ['http:', 'https:', 'mailto:'];

/** The address of a link, if it leads to a page or a mailbox. */
function address(url) {
  try {
    const { protocol, href } = new URL(url);
    return SCHEMES.includes(protocol) ? href : null;
  } catch {
    return null;
  }
}

function Link({ url, children }) {
  const to = address(url);
  if (!to) return <>{children}</>;
  return <a href={to} target="_blank" rel="noopener noreferrer nofollow">{children}</a>;
}

/** The text in a node. */
const plain = (node) => node.value ?? node.alt ?? (node.children ?? []).map(plain).join('');

/** A block of code; it takes the focus, so that the keyboard can scroll it. */
function Code({ value, lang }) {
  return (
    <div class="code">
      <div class="codebar"><span>{lang || 'text'}</span><Copy text={value} label="Copy the code" /></div>
      <pre tabIndex={0} role="region" aria-label={`Code${lang ? ` in ${lang}` : ''}`}><code>{value}</code></pre>
    </div>
  );
}

function Table({ node, definitions }) {
  const [head, ...rows] = node.children;
  const align = (place) => (node.align?.[place] ? `to-${node.align[place]}` : undefined);
  const cells = (row, Cell) =>
    row.children.map((cell, place) => (
      <Cell key={place} class={align(place)}><Nodes nodes={cell.children} definitions={definitions} /></Cell>
    ));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead><tr>{cells(head, 'th')}</tr></thead>
        <tbody>{rows.map((row, place) => <tr key={place}>{cells(row, 'td')}</tr>)}</tbody>
      </table>
    </div>
  );
}

function Item({ node, definitions, isTight }) {
  const isTask = typeof node.checked === 'boolean';
  // A list without empty lines has no paragraphs.
  const children = isTight
    ? node.children.flatMap((child) => (child.type === 'paragraph' ? child.children : [child]))
    : node.children;
  return (
    <li class={isTask ? 'task' : undefined}>
      {isTask && <input type="checkbox" checked={node.checked} disabled aria-label={node.checked ? 'done' : 'not done'} />}
      <Nodes nodes={children} definitions={definitions} />
    </li>
  );
}

function Node({ node, definitions }) {
  const inside = node.children && <Nodes nodes={node.children} definitions={definitions} />;
  switch (node.type) {
    case 'text':
    case 'html':
      return node.value;
    case 'paragraph':
      return <p>{inside}</p>;
    case 'heading': {
      // The page has headings of its own.
      const Heading = `h${Math.min(node.depth + 2, 6)}`;
      return <Heading>{inside}</Heading>;
    }
    case 'strong':
      return <strong>{inside}</strong>;
    case 'emphasis':
      return <em>{inside}</em>;
    case 'delete':
      return <del>{inside}</del>;
    case 'inlineCode':
      return <code>{node.value}</code>;
    case 'code':
      return <Code value={node.value} lang={node.lang} />;
    case 'break':
      return <br />;
    case 'thematicBreak':
      return <hr />;
    case 'blockquote':
      return <blockquote>{inside}</blockquote>;
    case 'list': {
      const isTight = !node.children.some((item) => item.spread);
      const items = node.children.map((item, place) => (
        <Item key={place} node={item} definitions={definitions} isTight={isTight} />
      ));
      return node.ordered ? <ol start={node.start ?? 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <Table node={node} definitions={definitions} />;
    case 'link':
      return <Link url={node.url}>{inside}</Link>;
    case 'image':
      return <Link url={node.url}>{node.alt || node.url}</Link>;
    case 'linkReference':
      return <Link url={definitions.get(node.identifier)}>{inside}</Link>;
    case 'imageReference':
      return <Link url={definitions.get(node.identifier)}>{node.alt || node.label}</Link>;
    case 'footnoteReference':
      return <sup>[{node.label ?? node.identifier}]</sup>;
    case 'footnoteDefinition':
      return <div class="footnote"><sup>[{node.label ?? node.identifier}]</sup>{inside}</div>;
    case 'definition':
      return null;
    default:
      return inside ?? plain(node);
  }
}

const Nodes = ({ nodes, definitions }) =>
  nodes.map((node, place) => <Node key={place} node={node} definitions={definitions} />);

/** Text in Markdown. */
export function Markdown({ text }) {
  const [nodes, definitions] = useMemo(() => {
    const { children } = fromMarkdown(text, OPTIONS);
    const defined = children.filter(({ type }) => type === 'definition');
    return [children, new Map(defined.map(({ identifier, url }) => [identifier, url]))];
  }, [text]);
  return <div class="markdown"><Nodes nodes={nodes} definitions={definitions} /></div>;
}
