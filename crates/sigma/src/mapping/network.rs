//! Firewalls, proxies, web servers, DNS, and antivirus, whoever made them.

use super::Place::{Column, Kql};
use super::device;
use super::{Entity, Place, Rest, Source, Target};

const CEF_ENTITIES: &[Entity] = &[("IP", "Address", "SourceIP"), ("Account", "Name", "SourceUserName")];

const PROXY_FIELDS: &[(&str, Place)] = &[
    ("c-uri", Column("RequestURL")),
    ("cs-uri", Column("RequestURL")),
    ("c-uri-stem", Kql("tostring(parse_url(RequestURL).Path)")),
    ("cs-uri-stem", Kql("tostring(parse_url(RequestURL).Path)")),
    ("c-uri-query", Kql("tostring(parse_url(RequestURL)[\"Query Parameters\"])")),
    ("cs-uri-query", Kql("tostring(parse_url(RequestURL)[\"Query Parameters\"])")),
    ("c-uri-extension", Kql("extract(@'\\.([A-Za-z0-9]+)(?:\\?|$)', 1, RequestURL)")),
    ("c-useragent", Column("RequestClientApplication")),
    ("cs-user-agent", Column("RequestClientApplication")),
    ("cs-method", Column("RequestMethod")),
    ("cs-cookie", Column("RequestCookies")),
    ("cs-host", Column("DestinationHostName")),
    ("r-dns", Column("DestinationHostName")),
    ("cs-referrer", Column("RequestContext")),
    ("cs-referer", Column("RequestContext")),
    ("cs-bytes", Column("SentBytes")),
    ("sc-bytes", Column("ReceivedBytes")),
    ("sc-status", Column("EventOutcome")),
    ("cs-username", Column("SourceUserName")),
    ("c-ip", Column("SourceIP")),
    ("src_ip", Column("SourceIP")),
    ("src_port", Column("SourcePort")),
    ("dst_ip", Column("DestinationIP")),
    ("dst_port", Column("DestinationPort")),
    ("username", Column("SourceUserName")),
    ("action", Column("DeviceAction")),
    ("source.ip", Column("SourceIP")),
    ("source.port", Column("SourcePort")),
    ("destination.ip", Column("DestinationIP")),
    ("destination.port", Column("DestinationPort")),
    ("network.transport", Column("Protocol")),
    ("network.protocol", Column("ApplicationProtocol")),
    ("source.bytes", Column("SentBytes")),
    ("destination.bytes", Column("ReceivedBytes")),
];

static CEF: Target = Target {
    table: "CommonSecurityLog",
    rows: "",
    fields: PROXY_FIELDS,
    rest: Rest::KeyValue("AdditionalExtensions"),
    keywords: &["Message", "Activity", "RequestURL", "AdditionalExtensions"],
    entities: CEF_ENTITIES,
    shown: "",
    connector: "CefAma",
};

static IIS: Target = Target {
    table: "W3CIISLog",
    rows: "",
    fields: &[
        ("c-ip", Column("cIP")),
        ("src_ip", Column("cIP")),
        ("cs-username", Column("csUserName")),
        ("s-sitename", Column("sSiteName")),
        ("s-computername", Column("sComputerName")),
        ("s-ip", Column("sIP")),
        ("s-port", Column("sPort")),
        ("cs-method", Column("csMethod")),
        ("cs-uri-stem", Column("csUriStem")),
        ("c-uri-stem", Column("csUriStem")),
        ("cs-uri-query", Column("csUriQuery")),
        ("c-uri-query", Column("csUriQuery")),
        ("cs-uri", Kql("iff(csUriQuery in (\"\", \"-\"), csUriStem, strcat(csUriStem, \"?\", csUriQuery))")),
        ("c-uri", Kql("iff(csUriQuery in (\"\", \"-\"), csUriStem, strcat(csUriStem, \"?\", csUriQuery))")),
        ("sc-status", Column("scStatus")),
        ("c-win32-status", Column("scWin32Status")),
        ("sc-bytes", Column("scBytes")),
        ("cs-bytes", Column("csBytes")),
        ("time-taken", Column("TimeTaken")),
        ("cs-version", Column("csVersion")),
        ("cs-host", Column("csHost")),
        ("cs-user-agent", Column("csUserAgent")),
        ("c-useragent", Column("csUserAgent")),
        ("cs-cookie", Column("csCookie")),
        ("cs-referer", Column("csReferer")),
        ("cs-referrer", Column("csReferer")),
    ],
    rest: Rest::Nothing,
    keywords: &["csUriStem", "csUriQuery", "csUserAgent", "csReferer", "csCookie"],
    entities: &[("IP", "Address", "cIP"), ("Host", "FullName", "Computer")],
    shown: "",
    connector: "AzureMonitor(IIS)",
};

static DNS: Target = Target {
    table: "DnsEvents",
    rows: "",
    fields: &[
        ("query", Column("Name")),
        ("QueryName", Column("Name")),
        ("dns.question.name", Column("Name")),
        ("record_type", Column("QueryType")),
        ("dns.question.type", Column("QueryType")),
        ("answer", Column("IPAddresses")),
        ("dns.answers.data", Column("IPAddresses")),
        ("dns.response.code", Column("ResultCode")),
        ("source.ip", Column("ClientIP")),
        ("src_ip", Column("ClientIP")),
    ],
    rest: Rest::Nothing,
    keywords: &["Name", "Message"],
    entities: &[("IP", "Address", "ClientIP"), ("DNS", "DomainName", "Name")],
    shown: "",
    connector: "DNS",
};

const fn category(category: &'static str, targets: &'static [&'static Target]) -> Source {
    Source { product: "", category, service: "", targets, note: "" }
}

pub(super) static SOURCES: &[Source] = &[
    category("proxy", &[&CEF]),
    category("firewall", &[&CEF]),
    category("webserver", &[&IIS]),
    category("dns", &[&DNS]),
    category("antivirus", &[&device::ANTIVIRUS]),
    Source { product: "", category: "network", service: "connection", targets: &[&CEF], note: "" },
    Source { product: "", category: "network", service: "dns", targets: &[&DNS], note: "" },
];
