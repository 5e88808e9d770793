/** A network on which one protocol is served in another way. */
import type { Handler, Network } from '@folkmoot/core';

/** `change` gets the honest handler of `protocol` and gives the one that answers in its place. */
export function serving(network: Network, protocol: string, change: (honest: Handler) => Handler): Network {
  return new Proxy(network, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'serve') return value.bind(target);
      const serve: Network['serve'] = (what, handler, limits) =>
        target.serve(what, what === protocol ? change(handler) : handler, limits);
      return serve;
    },
  });
}
