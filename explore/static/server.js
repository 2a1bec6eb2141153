// Requests to the server. What it refuses is thrown as an Error with a sentence for the user.

const client = String(crypto.getRandomValues(new Uint32Array(1))[0]);  // of this tab

async function checked(response) {
  if (response.ok) return response;
  let answer = {};
  try {
    answer = await response.json();
  } catch (unreadable) { /* not the explorer's own answer */ }
  throw new Error(answer.error || `the server answers ${response.status}`);
}

async function fetched(address, options) {
  try {
    return await checked(await fetch(address, options));
  } catch (error) {
    if (error instanceof TypeError) throw new Error('the server is gone; start it again');
    throw error;
  }
}

export async function get(address, parameters = {}) {
  return (await fetched(`${address}?${new URLSearchParams(parameters)}`)).json();
}

const posting = body => ({
  method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)
});

export async function post(address, body) {
  return (await fetched(address, posting(body))).json();
}

// Long work: the events of a POST, each given to `onEvent(kind, facts)`; returns the result.
// body: an object, or a File. signal: of an AbortController, which cancels the work.
export async function work(address, body, onEvent, signal) {
  const options = body instanceof Blob ? {method: 'POST', body} : posting(body);
  const reader = (await fetched(address, {...options, signal})).body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) throw new Error('the server has broken off');
    const events = (rest + decoder.decode(value, {stream: true})).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const [, kind, data] = event.match(/^event: (.*)\ndata: (.*)$/);
      const facts = JSON.parse(data);
      if (kind === 'error') throw new Error(facts.error);
      if (kind === 'result') return facts;
      onEvent(kind, facts);
    }
  }
}

export const picture = item => `pictures/${item}.png`;

// Shows images of an address that changes faster than they are drawn: one is asked for at a time,
// and then the newest.
export class Follower {
  constructor(image, onError) {
    Object.assign(this, {image, onError, next: null, running: false, shown: ''});
  }

  show(address, parameters) {
    this.next = `${address}?${new URLSearchParams({...parameters, client})}`;
    if (!this.running) this.follow();
  }

  stop() {
    this.next = null;
    this.stopped = true;
  }

  async follow() {
    this.running = true;
    try {
      while (this.next) {
        const address = this.next;
        this.next = null;
        this.stopped = false;
        const response = await fetched(address);
        if (response.status === 204) continue;  // a newer request took its place
        const shown = URL.createObjectURL(await response.blob());
        if (this.stopped) {
          URL.revokeObjectURL(shown);
          continue;
        }
        this.image.src = shown;
        await this.image.decode().catch(() => {});
        URL.revokeObjectURL(this.shown);
        this.shown = shown;
      }
    } catch (error) {
      this.onError(error);
    }
    this.running = false;
  }
}
