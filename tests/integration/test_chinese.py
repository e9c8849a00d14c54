# SPDX-License-Identifier: LGPL-2.1-or-later
"""The output in Chinese, on a host without a Chinese locale."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bed import sites

if TYPE_CHECKING:
    from bed.host import Host

CHINESE = {"LANG": "zh_CN.UTF-8"}


def test_status_is_chinese_and_json_is_not(host: Host) -> None:
    assert "zh_CN" not in host.run("locale", "-a").stdout
    shown = host.run("dockmgrctl", "status", env=CHINESE).stdout
    assert shown.startswith("○ 未安装 Docker。安装命令：dockmgrctl install\n")
    assert "     平台： " in shown
    english = host.run("dockmgrctl", "--json", "status").stdout
    assert host.run("dockmgrctl", "--json", "status", env=CHINESE).stdout == english


def test_help_is_chinese(host: Host) -> None:
    assert "安装 Docker 引擎并启动" in host.run("dockmgrctl", "--help", env=CHINESE).stdout


def test_a_refused_call_tells_why_in_chinese(host: Host) -> None:
    command = ("dockmgrctl", "--no-ask-password", "install")
    refused = host.run(*command, user="bob", env=CHINESE, check=False)
    assert refused.returncode == 4
    assert "org.dockmgr1.install 需要身份验证。" in refused.stderr
    shown = host.run("dockmgrctl", "--json", *command[1:], user="bob", env=CHINESE, check=False)
    error = json.loads(shown.stdout)["error"]
    assert error["message"].startswith("org.dockmgr1.install requires authentication.")


def test_an_installation_that_fails_tells_why_in_chinese(host: Host) -> None:
    for site in (sites.ALIYUN, sites.TUNA):
        host.internet.fault(site, "status", value=404)
    command = ("dockmgrctl", "install", "--yes", "--source", "aliyun,tuna")
    failed = host.run(*command, env=CHINESE, check=False)
    assert failed.returncode == 13
    assert "aliyun：位于 https://mirrors.aliyun.com/" in failed.stderr
    assert "请检查网络和代理，或换用其他软件源。tuna：位于 https://mirrors.tuna" in failed.stderr
    jobs = host.run("dockmgrctl", "jobs", env=CHINESE).stdout
    assert "失败" in jobs
    assert "位于 https://mirrors.aliyun.com/" in jobs


def test_what_root_sees_is_english(host: Host) -> None:
    """The environment decides, and nothing else does."""
    assert "Docker is not installed." in host.run("dockmgrctl", "status").stdout
