//! Which addresses are nobody's business.
//!
//! Checked on each resolved address and not on the name alone: a name under somebody else's control can
//! point at this machine, its neighbours or the metadata service of its cloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anybody's.
    Public,
    /// This machine, its link, its network: where the administrator grants it.
    Private,
    /// No host has it.
    Never,
}

/// What may be done with this address.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // "This" network: 0.0.0.0 reaches the machine itself. Multicast, reserved, broadcast. Then
        // protocol assignments, documentation, benchmarks.
        (0 | 224.., _, _)
        | (192, 0, 0 | 2)
        | (198, 51, 100)
        | (203, 0, 113)
        | (198, 18..=19, _) => Reach::Never,
        // Loopback, private, carriers' shared space, link-local with the clouds' metadata services.
        (127 | 10, _, _)
        | (172, 16..=31, _)
        | (192, 168, _)
        | (100, 64..=127, _)
        | (169, 254, _) => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if let Some(inside) = embedded_v4(address) {
        return reach_v4(inside);
    }
    let segments = address.segments();
    match segments[0] {
        _ if address.is_unspecified() => Reach::Never,
        _ if address.is_loopback() => Reach::Private,
        // Unique local, link-local, the old site-local.
        0xfc00..=0xfdff | 0xfe80..=0xfeff => Reach::Private,
        // Documentation.
        0x2001 if segments[1] == 0x0db8 => Reach::Never,
        // Teredo and the other protocol assignments.
        0x2001 if segments[1] < 0x0200 => Reach::Never,
        // What is routed at all is 2000::/3.
        0x2000..=0x3fff => Reach::Public,
        _ => Reach::Never,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64, 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(from(high, low))
        }
        // ::1 and :: are not compatible addresses.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_its_link_and_its_network_are_private() {
        for private in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "::1",
            "fd00:ec2::254",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "::7f00:1",
        ] {
            assert_eq!(reach(private.parse().unwrap()), Reach::Private, "{private}");
        }
    }

    #[test]
    fn what_no_host_has_is_never_reached() {
        for never in [
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "::",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:0.0.0.0",
            "100::1",
        ] {
            assert_eq!(reach(never.parse().unwrap()), Reach::Never, "{never}");
        }
    }

    #[test]
    fn the_rest_is_public() {
        for public in [
            "1.1.1.1",
            "20.190.128.1",
            "172.32.0.1",
            "100.128.0.1",
            "2603:1006:2000::1",
            "::ffff:1.1.1.1",
        ] {
            assert_eq!(reach(public.parse().unwrap()), Reach::Public, "{public}");
        }
    }
}
