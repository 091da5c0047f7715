//! Findings about providers, connections, and the way to the services.

use super::entries;

entries! { Finding,
    PROVIDER_LOADED = "provider-loaded",
        "The provider is loaded and behaves.",
        "Each call runs in an instance of its own, with bounded time, memory and network.",
        "Nothing needs to be done.";
    PROVIDER_NOT_LOADED = "provider-not-loaded",
        "A file in the providers' directories can't be used as a provider.",
        "The others are used. Where an older content of the file had been loaded, that goes on.",
        "Do what the finding says of the file, and reload: `sudo systemctl reload rotord`.";
    PROVIDER_FILE_CHANGED = "provider-file-changed",
        "The file that a provider was loaded from is gone, or holds something else now.",
        "What was loaded goes on serving. A reload or the next start takes what lies there then.",
        "If it was meant: `sudo systemctl reload rotord` takes it. If not, put the component back.";
    ENGINE_FORBIDDEN = "engine-forbidden",
        "The settings say that providers are compiled, `engine = \"native\"`, and the daemon may not make memory executable: its unit forbids it, by MemoryDenyWriteExecute=.",
        "It runs without the provider: what is published is read, and nothing rotates.",
        "Set the engine to \"pulley\", the default; or let the unit allow it by the drop-in share/doc/rotord/examples/native-engine.conf, which says how. Then `sudo systemctl restart rotord`.";
    PROVIDER_MISBEHAVES = "provider-misbehaves",
        "Calls of this provider ended because it trapped, took too long, or answered what makes no sense.",
        "Each such call fails alone. One that may have changed something counts as a lost answer and is looked for.",
        "Install another version of the provider, and tell its maker what the finding says.";
    NO_PROVIDERS = "no-providers",
        "No provider is loaded, so nothing can rotate.",
        "It looks into the providers' directories at its start and at a reload.",
        "Put a provider's component into one of the directories that the finding names, and reload: `sudo systemctl reload rotord`.";
    GRANTS = "grants",
        "What this provider may reach: the hosts that it declares and the settings grant, and which of them may be at private addresses.",
        "It checks each request by its name, and again by each address that the name has.",
        "Narrow or widen it in the settings, `[providers.grants.PROVIDER]`, and reload: `sudo systemctl reload rotord`.";
    GRANT_UNUSED = "grant-unused",
        "The settings grant something to a provider that is not loaded. It may be a typing mistake.",
        "A grant for nobody grants nothing.",
        "If the provider is only away, put its component back. Else correct the name in `[providers.grants.NAME]`, or take the table out.";
    GRANT_OF_NOTHING = "grant-of-nothing",
        "The settings grant a secret to a reader or a unit, and there is no such secret. It may be a typing mistake, or the rotation that feeds it is still to be made.",
        "The reader is denied it. The unit's start fails.",
        "Correct the setting and reload (`sudo systemctl reload rotord`), or make the rotation; `rotorctl secret list` shows what there is.";
    PROXY_IGNORED = "proxy-ignored",
        "The daemon's environment names a proxy, and it is not used: providers connect directly, so that what was sent and what was not is known for certain.",
        "It connects directly, and fails where only the proxy leads out.",
        "Let this host reach the providers' hosts on port 443 directly, and take the variable out of the daemon's environment.";
    NO_PROXY = "no-proxy",
        "No proxy is set; providers connect directly.",
        "It connects directly.",
        "Nothing needs to be done.";
    LOGIN = "login",
        "The connection logs in at its service.",
        "Each call logs in anew; tokens are not kept.",
        "Nothing needs to be done.";
    CLOCK = "clock",
        "This host's clock agrees with the service's.",
        "It compares them with every answer.",
        "Nothing needs to be done.";
    CLOCK_OFF = "clock-off",
        "This host's clock is off from the service's, by less than what keeps rotations from publishing.",
        "It counts lifetimes and revocations by the service's clock. Above the setting timing.skew_most it publishes nothing.",
        "Have the clock kept by NTP: `timedatectl set-ntp true`, and see `timedatectl timesync-status`.";
    HOST_REACHED = "host-reached",
        "The host's name was resolved, a connection was made, and its certificate is trusted.",
        "It makes a new connection for every request.",
        "Nothing needs to be done.";
    HOST_CLOSED = "host-closed",
        "The connection names a host that the settings withhold from its provider.",
        "Every call that needs the host fails before anything is sent.",
        "Add the host to `only` (or to `extra`) in `[providers.grants.PROVIDER]` and reload (`sudo systemctl reload rotord`), or correct the connection.";
    HOST_PRIVATE = "host-private",
        "The host's name leads to a private, loopback or link-local address, which has to be granted by name.",
        "Every call that needs the host fails before anything is sent: a name under somebody else's control must not lead into your network.",
        "If the service is meant to be there, add the host to `private` in `[providers.grants.PROVIDER]` and reload: `sudo systemctl reload rotord`. If not, see who answers for the name.";
    HOST_UNKNOWN = "host-unknown",
        "The host's name can't be resolved.",
        "Calls fail without anything being sent, and are tried again with growing waits.",
        "See the name and this host's resolver: `getent hosts NAME`, `resolvectl status`.";
    HOST_UNREACHED = "host-unreached",
        "No connection could be made to any of the host's addresses.",
        "Calls fail without anything being sent, and are tried again with growing waits.",
        "Allow outgoing TCP connections to the host and port that the finding names, in this host's firewall and in those on the way.";
    HOST_SLOW = "host-slow",
        "The host did not answer within the time that a connection may take.",
        "Calls fail without anything being sent, and are tried again with growing waits.",
        "A firewall that drops packets looks like this: allow outgoing TCP connections to the host and port that the finding names.";
    TLS_FAILED = "tls-failed",
        "A connection was made, and no TLS session came about over it: something else may be listening there.",
        "Calls fail without anything being sent, and are tried again with growing waits.",
        "See what answers: `openssl s_client -connect HOST:PORT`. A device on the way that inspects TLS can look like this.";
    CERTIFICATE_UNTRUSTED = "certificate-untrusted",
        "The host's certificate is from an authority that is not trusted here.",
        "Calls fail without anything being sent.",
        "If a device on the way inspects TLS, have these hosts left out, or name its authority in the setting providers.extra_ca. If none should, somebody is in between: find out who.";
    CERTIFICATE_EXPIRED = "certificate-expired",
        "The host's certificate is past its end or not valid yet.",
        "Calls fail without anything being sent.",
        "See this host's clock first (`timedatectl`), then who answers for the host.";
    CERTIFICATE_NAME = "certificate-name",
        "The host's certificate is for another name.",
        "Calls fail without anything being sent.",
        "Correct the host in the connection. If it is right, something else answers in its place: find out what.";
    CERTIFICATE_REFUSED = "certificate-refused",
        "The host's certificate can't be accepted.",
        "Calls fail without anything being sent.",
        "See it: `openssl s_client -connect HOST:PORT`.";
    NO_AUTHORITIES = "no-authorities",
        "No certificate authorities are installed here, so no certificate can be trusted.",
        "Calls fail without anything being sent.",
        "Install them: `sudo apt-get install ca-certificates`, and restart the daemon.";
}
