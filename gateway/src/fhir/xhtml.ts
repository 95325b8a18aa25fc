/** Narrative as R4 allows it (narrative.html#xhtml): well-formed, formatting alone, nothing that runs. Linear in its length. */

const ELEMENTS = new Set(
  `a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em font h1 h2
   h3 h4 h5 h6 hr i img ins kbd li map ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr
   tt u ul var center`.split(/\s+/),
);
const ATTRIBUTES = new Set(
  `abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff charset cite class clear color colspan
   compact coords datetime dir face frame headers height href hreflang hspace id idref ismap lang longdesc media name nohref
   noshade nowrap rel rev rowspan rules scope shape size span src start style summary tabindex target title type usemap valign
   value vspace width xml:lang xml:space xmlns`.split(/\s+/),
);
const LINKS = new Set(['href', 'src', 'longdesc', 'cite', 'usemap']);

const NAME = /<(\/?)([A-Za-z][A-Za-z0-9:]*)/y;
const ATTRIBUTE = /\s+([A-Za-z_][A-Za-z0-9_:.-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y;
const END = /\s*(\/?)>/y;
const ENTITY = /&(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});/y;

/** What is wrong with a `div`, by the constraint that it breaks; undefined where nothing is. */
export function narrativeProblem(div: string): { readonly key: 'txt-1' | 'txt-2'; readonly why: string } | undefined {
  const text = div.trim();
  const reader = new Reader(text);
  const why = reader.read();
  if (why !== undefined) return { key: 'txt-1', why };
  return reader.hasContent ? undefined : { key: 'txt-2', why: 'the narrative SHALL have some non-whitespace content' };
}

/** One pass over a text; says what it stumbles over. */
class Reader {
  hasContent = false;
  private at = 0;
  private readonly open: string[] = [];

  constructor(private readonly text: string) {}

  read(): string | undefined {
    if (!/^<div[\s>/]/.test(this.text)) return 'a narrative is one div element';
    while (this.at < this.text.length) {
      const wrong = this.text.charAt(this.at) === '<' ? this.markup() : this.characters();
      if (wrong !== undefined) return wrong;
      if (this.open.length === 0) break;
    }
    if (this.open.length > 0) return `the element ${this.open.at(-1) ?? ''} does not end`;
    return this.at < this.text.length ? 'a narrative is one div element' : undefined;
  }

  private characters(): string | undefined {
    const next = this.text.indexOf('<', this.at);
    const end = next < 0 ? this.text.length : next;
    const part = this.text.slice(this.at, end);
    this.hasContent ||= /[^\s]/.test(part);
    const wrong = entities(part);
    this.at = end;
    return wrong;
  }

  private markup(): string | undefined {
    if (this.text.startsWith('<!--', this.at)) return this.comment();
    const [start, slash = '', name = ''] = matchAt(NAME, this.text, this.at) ?? [];
    if (start === undefined) return 'it is not well-formed';
    if (!ELEMENTS.has(name.toLowerCase())) return `the element ${name.slice(0, 40)} is no formatting`;
    this.at += start.length;
    return slash === '/' ? this.endTag(name) : this.startTag(name);
  }

  private comment(): string | undefined {
    const end = this.text.indexOf('-->', this.at + 4);
    if (end < 0) return 'a comment does not end';
    this.at = end + 3;
    return undefined;
  }

  private endTag(name: string): string | undefined {
    const [whole] = matchAt(END, this.text, this.at) ?? [];
    if (whole === undefined || this.open.pop() !== name) return `the end of ${name} stands where it cannot`;
    this.at += whole.length;
    return undefined;
  }

  private startTag(name: string): string | undefined {
    for (
      let found = matchAt(ATTRIBUTE, this.text, this.at);
      found !== null;
      found = matchAt(ATTRIBUTE, this.text, this.at)
    ) {
      const wrong = attribute(found[1] ?? '', (found[2] ?? '').slice(1, -1));
      if (wrong !== undefined) return wrong;
      this.at += found[0].length;
    }
    const [whole, slash] = matchAt(END, this.text, this.at) ?? [];
    if (whole === undefined) return `the element ${name} is not well-formed`;
    this.at += whole.length;
    this.hasContent ||= name === 'img';
    if (slash !== '/') this.open.push(name);
    return undefined;
  }
}

function attribute(name: string, value: string): string | undefined {
  if (!ATTRIBUTES.has(name) && !name.startsWith('xmlns:')) return `the attribute ${name.slice(0, 40)} is no formatting`;
  const isScript = LINKS.has(name) && /^[\s\p{Cc}]*(?:javascript|vbscript)\s*:/iu.test(value);
  return isScript ? `${name} runs a script` : entities(value);
}

function entities(text: string): string | undefined {
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    if (matchAt(ENTITY, text, at) === null) return 'an & is no entity';
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
